# Ends the engine's processes when the engine has ended, however it did.
#
# Its standard input is a pipe from the engine: a line `+123` names a process group, `-123`
# takes it back. When the pipe ends the engine is gone, and remaining processes are killed.
# This works where there is no `PR_SET_PDEATHSIG`, and for all of a group. It is a shell's
# program because there is one for each learner: a Python takes 3 MB, a shell a tenth of it.
trap '' HUP INT TERM # only the end of the engine ends this
groups=
while read -r line; do
    group=${line#?}
    case $line in
    +*) groups="$groups $group" ;;
    *)
        left=
        for each in $groups; do [ "$each" = "$group" ] || left="$left $each"; done
        groups=$left
        ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
