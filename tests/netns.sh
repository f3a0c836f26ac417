#!/usr/bin/env bash
# Runs a command in a network namespace of its own that holds nothing but the loopback interface, and
# in a mount namespace of its own; where that is not permitted, on the loopback interface of the
# machine, and says so.
#
#   tests/netns.sh COMMAND [ARGUMENT...]
set -euo pipefail

if [ "${FOLKMOOT_NETNS:-}" = inside ]; then
    ip link set lo up
    unset FOLKMOOT_NETNS
    exec "$@"
fi
if unshare --mount --net true 2>/dev/null; then
    FOLKMOOT_NETNS=inside exec unshare --mount --net "$0" "$@"
elif unshare --map-root-user --mount --net true 2>/dev/null; then
    FOLKMOOT_NETNS=inside exec unshare --map-root-user --mount --net "$0" "$@"
fi
echo "netns.sh: no network namespace is permitted here: on the machine's loopback interface" >&2
exec "$@"
