"""Reading compose files from disk: all of them, or `BadComposeFile` with all mistakes."""

import codecs
import errno
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labkit.base import settings
from labkit.base.errors import BadComposeFile, BadValue
from labkit.swarm.compose import checks, merging
from labkit.swarm.compose.language import shorthand
from labkit.swarm.compose.language.interpolation import interpolate
from labkit.swarm.compose.language.schema import FORMAT, SECTIONS, Part, check
from labkit.swarm.compose.problems import Problems, dotted
from labkit.swarm.compose.reading import read
from labkit.swarm.compose.specs import Sections, StackSpecs, stack_specs

#: Bytes of a compose file, or of an env file: many times what anybody has written.
_MOST_TEXT = 256_000
#: Bytes of a config or a secret. Swarm takes no config that is larger, and smaller secrets.
_MOST_CONTENT = 1_024_000


@dataclass(frozen=True, kw_only=True)
class Compose(Sections):
    """One or several compose files, checked and merged."""

    #: The files as an error names them.
    name: str
    #: What is in the files and has no effect, in docker's words where docker says it.
    notes: tuple[str, ...] = ()

    def specs(self, stack: str) -> StackSpecs:
        """Return the objects of the Engine API for a stack of this name.

        Raises `BadValue` for a stack's name that Swarm refuses, and `BadComposeFile` for
        another name that comes of it.
        """
        problems = Problems()
        checks.full_names(settings.valid_stack_name(stack), self.services, problems)
        _refuse(self.name, problems.listed())
        return stack_specs(stack, self)


def load(files: Sequence[Path], env: Mapping[str, str]) -> Compose:
    """Read one file, or several as `docker stack deploy -c one.yml -c two.yml` does.

    Variables come from `env`. Paths in the files are relative to the folder of the first
    file. `-` is standard input. Raises `BadComposeFile` with every mistake.
    """
    if not files:
        raise BadValue("a stack is deployed from at least one compose file")
    folder = Path.cwd() if str(files[0]) == "-" else files[0].absolute().parent
    sources = [_Source.parse(path, folder, env) for path in files]
    several = len(sources) > 1
    found = [
        (f"{source.name}: {path}" if several else path, what)
        for source in sources
        for path, what in source.problems.listed()
    ]
    name = " and ".join(source.name for source in sources)
    versions = {source.version for source in sources if source.version}
    if len(versions) > 1:
        found.append(("version", f"the files have different ones: {', '.join(sorted(versions))}"))
    compose = _merged(name, sources)
    together = Problems()
    declared = {
        section: {key for source in sources for key in source.keys(section)} for section in SECTIONS
    }
    checks.services(compose.services, declared, together)
    found += together.listed()
    _refuse(name, found)
    return compose


def _refuse(name: str, found: list[tuple[str, str]]) -> None:
    if found:
        raise BadComposeFile(name, found)


@dataclass
class _Source:
    """One file, with what is right in it and the problems of the rest."""

    name: str
    tree: dict[str, Any]
    folder: Path
    env: Mapping[str, str]
    problems: Problems
    version: str = ""
    parts: dict[str, dict[str, Part]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def parse(cls, path: Path, folder: Path, env: Mapping[str, str]) -> "_Source":
        """Read a file as far as it can be read."""
        problems = Problems()
        tree = read(_text(path, problems), problems) if not problems else {}
        source = cls(path.name, tree, folder, env, problems)
        if problems and not tree:
            return source
        source.version = checks.version(tree, problems)
        checks.forbidden(tree, problems)
        source.tree = interpolate(tree, env, problems)
        checks.top_level(source.tree, problems)
        for section in SECTIONS:
            source.parts[section] = source.checked(section)
        source.finish()
        return source

    def keys(self, section: str) -> list[str]:
        """Return the names that a section declares, right or wrong."""
        found = self.tree.get(section)
        return list(found) if isinstance(found, dict) else []

    def checked(self, section: str) -> dict[str, Part]:
        """Return what is in a section, without what has mistakes."""
        found = {}
        for key in self.keys(section):
            body = self.tree[section][key]
            if body is None and section in ("networks", "volumes"):
                body = {}
            value = check(SECTIONS[section], body, (section, key), self.problems)
            if value is not None:
                found[key] = value
        return found

    def finish(self) -> None:
        """Bring in what stands outside the file: env files, contents, the folder it is in."""
        services = self.parts["services"]
        for name, service in services.items():
            environment, mounts = self._environment(name, service), self._mounts(service)
            services[name] = service.with_values(environment=environment, volumes=mounts)
        for section in ("networks", "volumes", "configs", "secrets"):
            for key, thing in self.parts[section].items():
                checks.external(section, key, thing, self.problems)
        for section in ("configs", "secrets"):
            for key, thing in self.parts[section].items():
                self._read_content(section, key, thing)

    def _environment(self, name: str, service: Part) -> dict[str, str | None] | None:
        """Return the variables of a container; an empty one takes the caller's value."""
        found: dict[str, str | None] = {}
        for file in service.env_file or ():
            path = self.folder / file
            try:
                found |= shorthand.env_file(_read(path, _MOST_TEXT).decode("utf-8"), self.env)
            except (OSError, ValueError) as problem:
                self.problems.add(("services", name, "env_file"), _why(path, problem))
        found |= service.environment or {}
        return {key: value or self.env.get(key, value) for key, value in found.items()} or None

    def _mounts(self, service: Part) -> list[Part] | None:
        """Return the mounts, with the paths on the node made absolute."""
        if service.volumes is None:
            return None
        return [
            mount.with_values(source=self._absolute(mount.source))
            if mount.type == "bind" and mount.source
            else mount
            for mount in service.volumes
        ]

    def _absolute(self, path: str) -> str:
        home = self.env.get("HOME")
        if path.startswith("~") and home is not None:
            path = path.replace("~", home, 1)
        return path if path.startswith("/") else os.path.normpath(self.folder / path)

    def _read_content(self, section: str, key: str, thing: Part) -> None:
        if thing.external or thing.get("driver"):
            return
        if not thing.file:
            self.problems.add((section, key), "needs a `file:`, or `external: true`")
            return
        path = self.folder / thing.file
        try:
            self.contents[thing.file] = _read(path, _MOST_CONTENT)
        except OSError as problem:
            self.problems.add((section, key, "file"), _why(path, problem))


def _text(path: Path, problems: Problems) -> str:
    try:
        content = _read(path, _MOST_TEXT)
        is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return content.decode("utf-16" if is_wide else "utf-8-sig")
    except (OSError, ValueError) as problem:
        problems.add((), _why(path, problem))
        return ""


def _read(path: Path, most: int) -> bytes:
    """Return what is in a file, or in standard input for `-`. Raises `OSError` for too much."""
    with nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most // 1000} kB")
    return content


def _why(path: Path, problem: Exception) -> str:
    if isinstance(problem, FileNotFoundError):
        return f"there is no file {path}"
    if isinstance(problem, OSError):
        return f"{path} cannot be read: {problem.strerror}"
    if isinstance(problem, UnicodeDecodeError):
        return f"{path} is not UTF-8 text"
    return f"{path}: {problem}"


def _merged(name: str, sources: Sequence[_Source]) -> Compose:
    sections: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    contents: dict[str, bytes] = {}
    for source in sources:
        for section, parts in source.parts.items():
            if section == "services":
                sections[section] = merging.services(sections[section], parts)
            else:
                sections[section] |= parts
        contents |= source.contents
    notes = tuple(_notes(sections["services"]))
    return Compose(name=name, contents=contents, notes=notes, **sections)


def _notes(services: Mapping[str, Part]) -> Iterator[str]:
    used = {key for service in services.values() for key in service}
    ignored = [key for key in FORMAT["ignored"] if key in used]
    if ignored:
        yield f"Ignoring unsupported options: {', '.join(ignored)}"
    known = FORMAT["deprecated"].items()
    deprecated = [f"{key}: {why}" for key, why in known if key in used]
    if deprecated:
        yield "\n\n".join(["Ignoring deprecated options:", *deprecated])
    silent = [key for key in FORMAT["ignored silently"] if key in used]
    if silent:
        yield f"Ignoring, as docker does without saying so: {', '.join(silent)}"
    for name, service in services.items():
        for port in service.ports or ():
            if port.get("host_ip"):
                where = dotted(("services", name, "ports"))
                yield f"{where}: ignoring {port['host_ip']}; a service listens on every address"
