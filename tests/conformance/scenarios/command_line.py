"""What the docker command line shows of a service, and what it says while it changes one."""

import json
import re
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conformance.engines import Ran
from tests.conformance.play import BRIDGED, BROKEN, LABEL, NEW, OLD, Play, config, restart
from tests.conformance.printed import ages, logs, progress, table
from tests.conformance.scenario import scenario
from tests.conformance.scenarios.failing import MISSING, SOON

_QUICK = config(monitor=1)
#: Long enough to notice a failure on a busy machine.
_WATCHFUL = config(monitor=6)


def shown(play: Play, *words: str) -> list[dict[str, str]]:
    """The rows of a table that a command prints.

    A busy engine may end a task that it was asked to stop in an error about its network.
    """
    ran = play.docker(*words)
    assert (ran.status, ran.err) == (0, ""), ran
    rows = table(ran.out)
    for row in rows:
        if row.get("ERROR", "").startswith('"error while removing network'):
            stopped = row["CURRENT STATE"].replace("Failed", "Shutdown")
            row |= {"CURRENT STATE": stopped, "ERROR": ""}
    return rows


@scenario(lasts=12)
def service_ps_shows_each_slot_and_its_history(play: Play) -> None:
    """Newest first, history indented, errors cut and quoted."""
    play.running(replicas=2, task=restart("none"), UpdateConfig={**_WATCHFUL, "Parallelism": 0})
    play.update(BROKEN)
    play.ends("paused")
    play.settle()
    play.until(lambda: play.counts[-1] == (0, 2), "both to fail")
    rows = shown(play, "service", "ps", play.name)

    play.tell("ps", rows)
    assert [row["NAME"] for row in rows] == [
        indent + f"{play.name}.{slot}" for slot in (1, 2) for indent in ("", " \\_ ")
    ]
    assert [row["DESIRED STATE"] for row in rows] == ["Shutdown"] * 4
    assert [row["CURRENT STATE"] for row in rows] == ["Failed <age> ago", "Shutdown <age> ago"] * 2
    assert [row["ERROR"] for row in rows] == ['"task: non-zero exit (1)"', ""] * 2
    play.tell("no-trunc", shown(play, "service", "ps", "--no-trunc", play.name))
    quiet = play.docker("service", "ps", "-q", play.name).out.splitlines()
    assert sorted(quiet) == sorted(task.id for task in play.tasks)
    one = f"{play.name}.2"
    play.tell("filtered", shown(play, "service", "ps", "-f", f"name={one}", play.name))
    for state in ("running", "shutdown"):
        found = shown(play, "service", "ps", "-f", f"desired-state={state}", play.name)
        play.tell(state, found)
    formatted = play.docker(
        *("service", "ps", "--format", "{{.Name}} {{.Image}} {{.DesiredState}} {{.Error}}"),
        play.name,
    )
    play.tell("formatted", formatted.out.splitlines())


@scenario(lasts=5)
def a_long_error_is_cut_in_service_ps(play: Play) -> None:
    """To thirty columns, within quotes; a task without a node shows none."""
    play.create(image=MISSING, task=restart("none"))
    play.until(lambda: play.tasks and play.tasks[0].over, "it to be rejected")
    (row,) = shown(play, "service", "ps", play.name)
    play.tell("rejected", row)
    assert row["ERROR"] == '"No such image: lab/actor:miss…"'
    nowhere = {"Placement": {"Constraints": ["node.labels.nowhere==yes"]}}
    play.update(task=nowhere)
    play.until(lambda: play.tasks[-1].last.error and play.tasks[-1].last.state == "pending", "it")
    pending, _ = shown(play, "service", "ps", play.name)

    play.tell("pending", pending)
    assert (pending["NODE"], pending["CURRENT STATE"]) == ("", "Pending <age> ago")
    assert pending["ERROR"] == '"no suitable node (scheduling …"'
    assert shown(play, "service", "ps", "--no-trunc", play.name)[0]["ERROR"] == (
        '"no suitable node (scheduling constraints not satisfied on 1 node)"'
    )


@scenario(lasts=10)
def an_update_that_converges_says_so(play: Play) -> None:
    """Progress to its end, and exit status 0; scaling and a new label speak in the same way."""
    play.running(replicas=2, UpdateConfig=_QUICK)
    image = play.engine.image(NEW)
    ran = play.docker("service", "update", "--no-resolve-image", "--image", image, play.name)

    lines = progress(ran)
    play.tell("update", [lines, ran.err, ran.status])
    assert lines == [
        play.name,
        "overall progress: some out of 2 tasks",
        "1/2:  ",
        "2/2:  ",
        "overall progress: some out of 2 tasks",
        "overall progress: 2 out of 2 tasks",
        "verify: Waiting <n> seconds to verify that tasks are stable...",
        f"verify: Service {play.name} converged",
    ]
    assert (ran.err, ran.status) == ("", 0)
    for words in (
        ("scale", f"{play.name}=3"),
        ("update", "--label-add", "a=b", play.name),
        ("scale", f"{play.name}=1"),
        ("update", "--quiet", "--label-add", "c=d", play.name),
    ):
        ran = play.until(
            partial(_undisturbed, play, *words), "the manager to note nothing meanwhile"
        )
        play.tell(" ".join(words), [progress(ran)[-1:], ran.err, ran.status])
        assert ran.status == 0


def _undisturbed(play: Play, *words: str) -> Ran | None:
    """What docker says, unless the manager noted the end of an update while it asked."""
    ran = play.docker("service", *words)
    return None if "update out of sequence" in ran.err else ran


@scenario(lasts=7)
def an_update_that_is_paused_exits_with_one(play: Play) -> None:
    """The engine's message is the error."""
    play.running(replicas=2, task=restart(delay=20), UpdateConfig=_WATCHFUL)
    image = play.engine.image(SOON)
    ran = play.docker("service", "update", "--no-resolve-image", "--image", image, play.name)

    message = play.service["UpdateStatus"]["Message"]
    assert (ran.err, ran.status) == (f"service update paused: {message}\n", 1)
    # the second slot had its turn when the first task ran, and fails after that
    play.until(lambda: sum(task.ended for task in play.on(SOON)) == 2, "both slots to fail")
    play.tell("error", ran.err)
    play.tell("pretty", ages(play.docker("service", "inspect", "--pretty", play.name).out))


@scenario(lasts=12)
def a_rollback_says_why_and_exits_with_nought(play: Play) -> None:
    """By itself in the middle of an update, or by hand."""
    play.running(
        replicas=2,
        task=restart(delay=1),
        UpdateConfig=config(parallelism=None, monitor=12, action="rollback"),
        RollbackConfig=config(parallelism=2, monitor=play.visible(3)),
    )
    image = play.engine.image("slot 1: exit 1 after 1")
    ran = play.docker("service", "update", "--no-resolve-image", "--image", image, play.name)
    assert (ran.err, ran.status) == ("", 0)
    said = [line for line in progress(ran) if line.startswith("rollback: ")]
    play.tell("rolled back", said)
    assert len(said) == 1
    assert "rollback: update rolled back due to failure or early termination of task" in said[0]
    assert "overall progress: rolling back update: 2 out of 2 tasks" in progress(ran)
    play.ends("rollback_completed")
    refused = play.docker("service", "rollback", play.name)
    play.tell("refused", [refused.out, refused.err, refused.status])
    assert refused.status == 1
    play.update(NEW, UpdateConfig=_QUICK)
    play.ends("completed")
    ran = play.docker("service", "rollback", play.name)
    lines = progress(ran)
    play.tell("by hand", [lines[:2], lines[-1], ran.err, ran.status])
    assert lines[1] == "rollback: manually requested rollback"


@scenario(lasts=6)
def a_rollback_that_is_paused_exits_with_one(play: Play) -> None:
    """The engine's message calls it an update."""
    play.create(image=MISSING, replicas=2, task=restart(delay=3), RollbackConfig=_QUICK)
    play.until(lambda: any(task.last.state == "rejected" for task in play.tasks), "a rejected task")
    play.update(NEW, UpdateConfig=_QUICK)
    play.ends("completed")
    play.until(lambda: play.counts[-1] == (2, 2), "both replicas to run")
    ran = play.docker("service", "rollback", play.name)

    play.tell("error", [ran.err, ran.status])
    assert ran.status == 1
    assert ran.err.startswith("service rollback paused: update paused due to failure")


@scenario(lasts=6)
def a_service_is_shown_by_ls_and_inspect(play: Play) -> None:
    """With what it was created with by the command line itself."""
    ran = play.docker(
        *("service", "create", "--detach", "--no-resolve-image", "--name", play.name),
        *("--label", f"{LABEL}={play.run}", "--replicas", "2"),
        *("--update-parallelism", "2", "--update-delay", "3s", "--update-monitor", "4s"),
        *("--update-failure-action", "rollback", "--update-max-failure-ratio", ".2"),
        *("--rollback-parallelism", "0", "--rollback-order", "start-first"),
        *("--restart-condition", "on-failure", "--restart-max-attempts", "3"),
        *("--env", "SLOT={{.Task.Slot}}", "--stop-grace-period", "7s", "--constraint"),
        *("node.role==manager", "--limit-memory", "64M", "--health-cmd", "true"),
        *("--publish", f"mode=host,published={play.port},target=80"),
        *("--hostname", "h{{.Task.Slot}}"),
        *(play.engine.image(OLD), "python", "actor.py", "print from the command"),
    )
    said = [line for line in ran.err.splitlines() if not line.startswith("simulated engine: ")]
    assert (ran.status, said) == (0, []), ran
    play.id = ran.out.strip()
    # a port of the host can be had once: one replica waits
    play.until(lambda: play.counts[-1] == (1, 2), "one replica")
    play.tell("ls", shown(play, "service", "ls", "--filter", f"name={play.name}"))
    rows = shown(play, "service", "ps", "--filter", "desired-state=running", play.name)
    # a machine with two kinds of addresses binds the port, and says so, twice
    ports = sorted(",".join(sorted(set(row["PORTS"].split(",")))) for row in rows)
    play.tell("ps", [ports, sorted((row["ERROR"], row["NODE"]) for row in rows)])
    assert ports == ["", f"*:{play.port}->80/tcp"]
    pretty = play.docker("service", "inspect", "--pretty", play.name)
    play.tell("pretty", ages(pretty.out))
    spec = play.service["Spec"]
    play.tell("published", play.even(str(spec.pop("EndpointSpec"))))
    play.tell("spec", spec)
    assert spec["TaskTemplate"]["ContainerSpec"]["Args"][2:] == ["print from the command"]
    play.until(lambda: play.docker("service", "logs", "--raw", play.name).out, "its words")
    assert play.docker("service", "logs", "--raw", play.name).out == "from the command\n"
    read = play.docker(
        "service", "inspect", "-f", "{{.Spec.UpdateConfig.MaxFailureRatio}}", play.id
    )
    assert read.out == "0.2\n"


@scenario(lasts=8)
def service_logs_say_who_wrote_what(play: Play) -> None:
    """Each line with its task and node; standard error goes to standard error."""
    act = "print one; complain two; slot 2: complain three"
    play.running(act, replicas=2)
    words = ("service", "logs")

    def written() -> Ran | None:
        ran = play.docker(*words, play.name)
        lines = [len(text.splitlines()) for text in (ran.out, ran.err)]
        return ran if lines == [2, 3] else None

    ran = play.until(written, "five lines")
    play.tell("logs", [logs(ran.out), logs(ran.err)])
    assert logs(play.even(ran.out))[0] == play.even(f"{play.name}.1.<id>@<node>    | one")
    raw = play.docker(*words, "--raw", play.name)
    play.tell("raw", [logs(raw.out), logs(raw.err)])
    assert (logs(raw.out), logs(raw.err)) == (["one", "one"], ["three", "two", "two"])
    without = play.docker(*words, "--no-task-ids", play.name)
    play.tell("without ids", [logs(without.out), logs(without.err)])
    one = next(task for task in play.tasks if task.slot == 2)
    of_one = play.docker(*words, "--timestamps", "--raw", one.id)
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"
    assert re.fullmatch(f"{stamp} one\n", of_one.out)
    assert re.fullmatch(f"{stamp} two\n{stamp} three\n", of_one.err)
    since = play.docker("service", "logs", "--since", "1s", "--raw", one.id)
    assert since.status == 0


@scenario(lasts=4)
def what_the_command_line_cannot_do_it_says(play: Play) -> None:
    """On standard error, with exit status 1; an empty stack is an error for `ps` only."""
    play.create(replicas=0)
    stack = play.name
    for words in (
        "service ps nope",
        "service update nope",
        "service rollback nope",
        "service scale nope=1",
        f"service scale {play.name}=x",
        "service rm nope",
        "service inspect nope",
        "service logs nope",
        f"service rollback {play.name}",
        f"service create --detach --name {play.name} lab/actor:missing",
        "service create --detach --name a.b lab/actor:missing",
        f"service update --rollback --image x {play.name}",
        f"service update --detach --update-failure-action x {play.name}",
        f"service update --detach --update-max-failure-ratio 2 {play.name}",
        f"stack ps {stack}",
        f"stack services {stack}",
        f"stack rm {stack}",
        "node ps nope",
        "node inspect nope",
    ):
        ran = play.docker(*words.split())
        play.tell(words, [ran.out, ran.err, ran.status])
        assert ran.err
    told = play.transcript.told
    assert told["service ps nope"] == ["", "no such service: nope\n", 1]
    assert told["service rm nope"] == [
        "",
        "Error response from daemon: service nope not found\n",
        1,
    ]


@scenario(lasts=3)
def an_image_without_a_registry_is_used_as_it_is(play: Play) -> None:
    """The command line warns, and its exit status is 0."""
    play.create(replicas=0)
    play.until(lambda: play.service["Endpoint"], "the service to be allocated, which is a write")
    image = play.engine.image(NEW)
    ran = play.docker("service", "update", "--detach", "--image", image, play.name)

    play.tell("warning", [ran.out, ran.err, ran.status])
    assert ran.err == (
        f"image {image} could not be accessed on a registry to record\n"
        f"its digest. Each node will access {image} independently,\n"
        "possibly leading to different nodes running different\n"
        "versions of the image.\n\n"
    )
    assert play.service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == image


@scenario(lasts=3)
def events_can_be_read_afterwards(play: Play) -> None:
    """Each change of a service, with what was changed."""
    begun = play.engine.now()
    play.create(replicas=0, task=BRIDGED)
    play.update(NEW)
    play.update(replicas=2, task={"Placement": {"Constraints": ["node.labels.nowhere==yes"]}})
    play.update(Labels={**play.service["Spec"]["Labels"], "other": "1"})
    play.until(lambda: play.counts[-1] == (0, 2), "two tasks")
    play.update(container={"Labels": {"a": "b"}}, UpdateConfig={})
    play.ends("updating")
    play.remove()
    play.until(lambda: play.events and play.events[-1][""] == "remove", "the last event")
    ran = play.docker(
        *("events", "--since", f"{begun:.6f}", "--until", f"{play.engine.now() + 0.01:.6f}"),
        *("--filter", "type=service", "--filter", f"service={play.id}"),
        *("--format", "{{.Type}} {{.Action}} {{.Scope}} {{json .Actor.Attributes}}"),
    )

    play.leave_out("slots")
    play.tell("events", ran.out.splitlines())
    assert len(ran.out.splitlines()) == len(play.events)
    assert play.even(ran.out.splitlines()[1]) == (
        'service update swarm {"image.new":"lab/actor:print-new",'
        f'"image.old":"lab/actor:print-old","name":"{play.even(play.name)}"}}'
    )


_STACK = """
services:
  web:
    image: {image}
    environment: {{SLOT: "{{{{.Task.Slot}}}}"}}
    configs: [motd]
    deploy:
      replicas: 2
      labels: {{{label}: {run}}}
      update_config: {{parallelism: 2, monitor: 3s}}
      restart_policy: {{delay: 1s}}
configs:
  motd: {{content: hello}}
"""


@scenario(lasts=16)
def a_stack_comes_is_updated_and_goes(play: Play) -> None:
    """Deploy, look, deploy another image, remove: what each command prints."""
    stack = play.name
    with TemporaryDirectory() as folder:
        (Path(folder) / "motd").write_text("hello")
        file = Path(folder) / "compose.yml"

        def deploy(act: str) -> list[str]:
            text = _STACK.format(image=play.engine.image(act), label=LABEL, run=play.run)
            file.write_text(text.replace("content: hello", "file: ./motd"))
            ran = play.docker("stack", "deploy", "--detach", "-c", str(file), stack)
            assert ran.status == 0, ran
            return sorted(ran.out.splitlines())

        play.tell("deploy", deploy(OLD))
        play.id = play.docker("service", "inspect", "-f", "{{.ID}}", f"{stack}_web").out.strip()
        play.until(lambda: play.counts[-1] == (2, 2), "two replicas")
        play.tell("services", shown(play, "stack", "services", stack))
        play.tell("ps", shown(play, "stack", "ps", stack))
        stacks = shown(play, "stack", "ls")
        play.tell("ls", [row for row in stacks if row["NAME"] == stack])
        play.tell("unchanged", deploy(OLD))
        play.watch(1)
        assert play.status.state == ""
        play.tell("deploy again", deploy(NEW))
    play.ends("completed")
    play.settle()
    play.tell("ps again", shown(play, "stack", "ps", stack))
    removed = play.docker("stack", "rm", "--detach", stack)
    play.tell("rm", [removed.out.splitlines(), removed.err, removed.status])
    assert removed.out.splitlines() == [
        f"Removing service {stack}_web",
        f"Removing config {stack}_motd",
        f"Removing network {stack}_default",
    ]
    play.until(lambda: play.docker("stack", "ps", stack).status == 1, "its tasks to go")
    label = {"label": {f"com.docker.stack.namespace={stack}": True}}
    play.until(lambda: not play.engine.get("/networks", filters=label), "its network to go")
    play.leave_out("slots")  # whether a look saw the removed tasks end before they went


@scenario(lasts=4)
def a_task_is_a_container_while_it_runs(play: Play) -> None:
    """Its name and labels say whose it is; `docker logs` has its words."""
    play.running("print one", replicas=2)
    mine = f"label=com.docker.swarm.service.name={play.name}"
    names = "{{.Names}} {{.Image}} {{.State}}"
    listed = play.docker("ps", "--filter", mine, "--format", names).out.splitlines()
    play.tell("ps", sorted(listed))
    expected = [f"{play.name}.{t.slot}.{t.id} {t.image} running" for t in play.tasks]
    assert sorted(listed) == sorted(expected)
    task = play.tasks[0]
    container = task.raw["Status"]["ContainerStatus"]["ContainerID"]
    labels = play.docker("inspect", "-f", "{{json .Config.Labels}}", container)
    own = {k: v for k, v in json.loads(labels.out).items() if k.startswith("com.docker.swarm")}
    assert own == {
        "com.docker.swarm.node.id": task.raw["NodeID"],
        "com.docker.swarm.service.id": play.id,
        "com.docker.swarm.service.name": play.name,
        "com.docker.swarm.task": "",
        "com.docker.swarm.task.id": task.id,
        "com.docker.swarm.task.name": f"{play.name}.{task.slot}.{task.id}",
    }
    play.until(lambda: play.docker("logs", container).out == "one\n", "its words")
    play.update(replicas=0)
    play.until(lambda: all(t.gone_at for t in play.tasks), "its tasks to go")
    its = ("ps", "--all", "--quiet", "--filter", mine)
    play.until(lambda: not play.docker(*its).out, "its containers to go")


@scenario(lasts=3)
def images_are_tagged_listed_and_removed(play: Play) -> None:
    """A second name for an image is taken away without the image."""
    play.create(replicas=0)
    image, other = play.engine.image(OLD), f"lab/{play.name}:second"
    words = "{{.Repository}}:{{.Tag}}"
    assert play.docker("tag", image, other).status == 0
    for asked in (
        ("image", "ls", "--format", words, other),
        ("image", "inspect", "-f", "{{json .RepoTags}}", other),
        ("rmi", other),
        ("image", "ls", "--format", words, other),
        ("image", "inspect", other),
        ("rmi", other),
    ):
        ran = play.docker(*asked)
        out = ran.out if "RepoTags" not in " ".join(asked) else str(other in json.loads(ran.out))
        said = re.sub("no such image: .*: (?=No such image: )", "", ran.err)  # twice before 23.0
        play.tell(" ".join(asked) + " " + str(len(play.transcript.told)), [out, said, ran.status])
    assert play.docker("image", "inspect", image).status == 0


@scenario(lasts=8)
def tasks_are_found_by_filters(play: Play) -> None:
    """By service, name, node, label, id, desired state, and whether they run the current spec."""
    play.running(replicas=2, task=restart("none"), UpdateConfig=_WATCHFUL)
    play.update(SOON)
    play.ends("paused")
    play.settle()
    play.until(lambda: play.counts[-1] == (0, 2), "both to have failed")
    task = play.tasks[0]

    def found(**filters: str) -> int:
        mine = {"service": [play.name], **{key: [value] for key, value in filters.items()}}
        tasks = play.engine.get("/tasks", filters={k.replace("_", "-"): v for k, v in mine.items()})
        assert [each["ID"] for each in tasks] == sorted(each["ID"] for each in tasks)
        return len(tasks)

    assert found() == 4
    assert found(desired_state="running") == 0
    assert found(desired_state="shutdown") == 4
    assert found(name=f"{play.name}.1") == found(name=f"{play.name}.2") == 2
    assert found(id=task.id[:10]) == 1
    assert found(node=str(task.raw["NodeID"])) == 4
    assert found(label=f"{LABEL}={play.run}") == 4
    assert found(label="no-such-label") == 0
    assert found(runtime="container") == 4
    up_to_date = {"service": {play.id: True}, "_up-to-date": {"true": True}}  # as docker asks
    tasks = play.engine.get("/tasks", filters=up_to_date)
    assert {each["ID"] for each in tasks} == {each.id for each in play.on(SOON)}


@scenario(lasts=3)
def nodes_are_shown(play: Play) -> None:
    """`node ls`, and `node ps` of the node itself."""
    play.running()
    rows = shown(play, "node", "ls")
    play.tell("ls", [{**row, "ID": row["ID"].rstrip(" *")} for row in rows])
    rows = shown(play, "node", "ps", "--filter", f"name={play.name}.", "self")
    play.tell("ps", rows)
    assert [row["NAME"] for row in rows] == [f"{play.name}.1"]
    found = play.docker("node", "inspect", "self", "-f", "{{.Spec.Role}} {{.Status.State}}")
    assert found.out == "manager ready\n"
