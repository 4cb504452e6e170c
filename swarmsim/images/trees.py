"""Trees of files: a path that stays in its folder, archives in and out.

An image's files are kept as layers, tar archives as Docker has them. What an archive
brings never leaves the folder that it is unpacked into, and no link leads out of it.
"""

import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path, PurePosixPath
from typing import IO

#: As many links may follow one another on the way to a file (Linux's own limit).
_MOST_LINKS = 40
_CHUNK = 1024 * 1024


def within(root: Path, path: str) -> Path:
    """Return where a path leads if `root` is `/`: links are followed and never lead out.

    Raises `OSError` for links in a circle.
    """
    done: list[str] = []
    left = list(reversed(PurePosixPath("/", path).parts[1:]))
    links = 0
    while left:
        part = left.pop()
        if part == "..":
            done = done[:-1]
            continue
        here = root.joinpath(*done, part)
        if not here.is_symlink():
            done.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(f"too many levels of symbolic links: {path}")
        target = PurePosixPath(here.readlink().as_posix())
        if target.is_absolute():
            done = []
        left += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    return root.joinpath(*done)


def unpack(archive: tarfile.TarFile, root: Path) -> None:
    """Unpack an archive into a folder: files, folders and links; devices are left out."""
    for member in archive:
        name = PurePosixPath("/", member.name)
        if len(name.parts) > 1:
            _put(archive, member, root, name)


def _put(
    archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path, name: PurePosixPath
) -> None:
    folder = within(root, str(name.parent))
    if not folder.is_dir():
        _delete(folder)
        folder.mkdir(parents=True)
    here = folder / name.name if name.name != ".." else folder
    if member.isdir():
        if here.is_symlink() or not here.is_dir():
            _delete(here)
            here.mkdir()
        here.chmod(member.mode & 0o777 | 0o700)
    elif member.issym():
        _delete(here)
        here.symlink_to(member.linkname)
    elif member.islnk():
        source = within(root, member.linkname)
        if source.is_file() and source != here:
            _delete(here)
            shutil.copy2(source, here)
    elif member.isreg() and (content := archive.extractfile(member)):
        _delete(here)
        with content, here.open("wb") as file:
            shutil.copyfileobj(content, file, _CHUNK)
        here.chmod(member.mode & 0o777 | 0o600)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to put into a layer: its name there, and the file that it is made from.

    Without a file it is a folder.
    """

    name: str
    source: Path | None = None

    def described(self) -> bytes:
        """What tells this entry from another: kind, mode, and where a link leads."""
        source = self.source
        if source is None or not source.is_symlink():
            mode = 0o755 if source is None else source.stat().st_mode
            return f"{self.name} {mode:o}\n".encode()
        return f"{self.name} link {source.readlink()}\n".encode()


def entries(source: Path, name: str) -> Iterator[Entry]:
    """Yield a file, or a folder and all that is in it, in order of names."""
    yield Entry(name, source)
    if source.is_dir() and not source.is_symlink():
        for each in sorted(source.iterdir()):
            yield from entries(each, f"{name}/{each.name}" if name else each.name)


def content_hash(found: list[Entry]) -> str:
    """Return a hash of names, modes and contents; when a file was changed does not count."""
    digest = sha256()
    for entry in found:
        digest.update(entry.described())
        if entry.source and entry.source.is_file() and not entry.source.is_symlink():
            with entry.source.open("rb") as file:
                digest.update(file_digest(file, "sha256").hexdigest().encode())
    return digest.hexdigest()


def pack(found: list[Entry], target: IO[bytes]) -> None:
    """Write entries as a layer; everything in it belongs to root."""
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in found:
            _add(archive, entry)


def _add(archive: tarfile.TarFile, entry: Entry) -> None:
    member = tarfile.TarInfo(entry.name)
    source = entry.source
    if source is None or (source.is_dir() and not source.is_symlink()):
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        if source is not None:
            member.mode = source.stat().st_mode & 0o777
        archive.addfile(member)
    elif source.is_symlink():
        member.type, member.linkname = tarfile.SYMTYPE, str(source.readlink())
        archive.addfile(member)
    elif source.is_file():
        status = source.stat()
        member.mode, member.size = status.st_mode & 0o777, status.st_size
        member.mtime = int(status.st_mtime)
        with source.open("rb") as file:
            archive.addfile(member, file)
