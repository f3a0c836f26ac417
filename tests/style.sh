#!/usr/bin/env bash
# Checks what the compiler does not: which room may include which, who may call what, and how long
# things may be.
#
#   tests/style.sh [ROOT]        checks the tree (this one, if none is named)
#   tests/style.sh --self-test   plants a violation of each rule and sees it caught
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)

# The .c and .h files under ROOT that are ours.
list_files() {
    local folders=() folder
    for folder in base proto storage sync client daemon tests bench; do
        [ -d "$1/$folder" ] && folders+=("$folder")
    done
    (cd "$1" && find "${folders[@]}" -name node_modules -prune -o -name '*.[ch]' -print | sort)
}

# Prints one line a violation and, at the end, how many files it read. Reads names from stdin.
check_files() {
    awk '
    BEGIN {
        split("base proto storage sync client daemon", names, " ")
        for (i in names)
            rank[names[i]] = i == 6 ? 5 : i + 0
        while ((getline file) > 0)
            check(file)
        if (loops > 2)
            complain(loop_files, 0, "event2/ in more than two files of daemon/")
        print "files " count
        exit bad
    }

    function complain(file, line, what) {
        print file (line ? ":" line : "") ": " what
        bad = 1
    }

    function check(file,    line, n, pragma, open_at, code) {
        count++
        room = file
        sub("/.*", "", room)
        in_comment = n = open_at = pragma = 0
        uses_loop = 0
        while ((getline line < file) > 0) {
            n++
            if (line ~ /(^|[^A-Za-z0-9_])(TODO|FIXME|XXX)([^A-Za-z0-9_]|$)/)
                complain(file, n, "unfinished: say it in an issue, not in the code")
            if (line ~ /^#pragma once$/)
                pragma = 1
            if (line ~ /^[ \t]*#[ \t]*include/)
                check_include(file, n, line)
            code = code_of(line)
            check_calls(file, n, code)
            if (line ~ /^\{/)
                open_at = n
            if (line ~ /^\}/ && open_at) {
                if (n - open_at + 1 > 70)
                    complain(file, open_at, "a function of " (n - open_at + 1) " lines, at most 70")
                open_at = 0
            }
        }
        close(file)
        if (n > 500)
            complain(file, 0, "a file of " n " lines, at most 500")
        if (file ~ /\.h$/ && !pragma)
            complain(file, 0, "a header without #pragma once")
        if (uses_loop) {
            loops++
            loop_files = loop_files (loop_files ? ", " : "") file
        }
    }

    # The line without its comments and without what stands in quotes.
    function code_of(line,    out, i, c, two, quote) {
        out = quote = ""
        for (i = 1; i <= length(line); i++) {
            c = substr(line, i, 1)
            two = substr(line, i, 2)
            if (in_comment) {
                if (two == "*/") {
                    in_comment = 0
                    i++
                }
            } else if (quote != "") {
                if (c == "\\")
                    i++
                else if (c == quote)
                    quote = ""
            } else if (two == "//") {
                break
            } else if (two == "/*") {
                in_comment = 1
                i++
            } else if (c == "\"" || c == "\047") {
                quote = c
                out = out c
            } else {
                out = out c
            }
        }
        return out
    }

    function calls(code, list) {
        return code ~ ("(^|[^A-Za-z0-9_.>])(" list ")[ \t]*\\(")
    }

    function is_command_file(file) {
        return file ~ /^client\/(command\/[a-z0-9_]+\.[ch]|example\.c)$/
    }

    function is_library(file) {
        return room ~ /^(base|proto|storage|sync|client)$/ && !is_command_file(file)
    }

    function check_calls(file, n, code) {
        if (calls(code, "strcpy|strcat|sprintf|vsprintf|gets|alloca"))
            complain(file, n, "a call that knows no bounds")
        if (room == "sync" && calls(code, "time|clock|clock_gettime|gettimeofday|localtime|getrandom|getentropy|rand|random|srand|drand48|arc4random|getenv|secure_getenv|open|openat|fopen|fdopen|socket"))
            complain(file, n, "sync/ reads no clock, randomness, environment or file")
        if (is_library(file) && calls(code, "printf|vprintf|fprintf|vfprintf|puts|fputs|fwrite|putchar|perror|syslog|exit|_exit|abort"))
            complain(file, n, "a library never logs and never exits")
    }

    function check_include(file, n, line,    name, other) {
        name = line
        sub(/^[^"<]*["<]/, "", name)
        sub(/[">].*/, "", name)
        if (!(room in rank))
            return
        other = name
        sub("/.*", "", other)
        if (line ~ /"/ && !(other in rank))
            complain(file, n, "\"" name "\" is not named from the root of the tree")
        if (line ~ /"/ && other in rank && other != room && rank[other] >= rank[room])
            complain(file, n, room "/ may not include " other "/")
        if (room == "client" && line ~ /"/)
            check_command(file, n, name)
        check_foreign(file, n, name)
    }

    # The command stands on the public header, as any app does.
    function check_command(file, n, name) {
        if (!is_command_file(file) && name ~ /^client\/command\//)
            complain(file, n, "a library does not know its command")
        if (file ~ /^client\/command\// && name !~ /^(base|client\/command)\// && name != "client/folkmoot.h" && name !~ /^daemon\//)
            complain(file, n, "a command knows base/ and client/folkmoot.h")
    }

    # Which libraries of others belong to which rooms.
    function check_foreign(file, n, name) {
        if (name == "lmdb.h" && room != "storage")
            complain(file, n, "lmdb.h belongs to storage/")
        if (name ~ /^(zstd|zdict)[a-z_]*\.h$/ && room != "proto" && room != "storage")
            complain(file, n, "zstd belongs to proto/ and storage/")
        if (name ~ /^openssl\// && room != "base" && room != "daemon" && !is_command_file(file))
            complain(file, n, "openssl/ belongs to base/, daemon/ and the commands of client/")
        if (name ~ /^nghttp2\// && room != "daemon")
            complain(file, n, "nghttp2/ belongs to daemon/")
        if (name ~ /^curl\// && room != "client")
            complain(file, n, "curl/ belongs to client/")
        if (name ~ /^event2\//) {
            uses_loop = room == "daemon" && file ~ /\.c$/
            if (!uses_loop)
                complain(file, n, "event2/ belongs to two .c files of daemon/")
        }
    }'
}

check_tree() {
    local found code=0
    found=$(cd "$1" && list_files . | check_files) || code=$?
    if [ "$code" -ne 0 ]; then
        grep -v '^files ' <<<"$found" || true
        echo "style: $(grep -vc '^files ' <<<"$found") faults"
        return 1
    fi
    echo "style: ${found##*files } files, all in order"
}

# --- The self-test ---

# A small house in good order, with what a careless check would complain about.
make_house() {
    local room
    for room in base proto storage sync client daemon tests; do
        mkdir -p "$1/$room"
        printf '#pragma once\n' >"$1/$room/$room.h"
        printf '#include "base/base.h"\n' >"$1/$room/$room.c"
    done
    printf 'f();\n#include "daemon/daemon.h"\n#include <lmdb.h>\nexit(1);\n' >>"$1/tests/tests.c"
    printf '#include <openssl/evp.h>\n' >>"$1/base/base.c"
    printf '#include <zstd.h>\n' >>"$1/proto/proto.c"
    printf '#include <lmdb.h>\n' >>"$1/storage/storage.c"
    printf '#include <curl/curl.h>\n#include "sync/sync.h"\n' >>"$1/client/client.c"
    mkdir "$1/client/command"
    printf '#include <openssl/rand.h>\nprintf("hello");\n' >"$1/client/command/init.c"
    printf '#include "base/base.h"\n#include "client/folkmoot.h"\n' >>"$1/client/command/init.c"
    printf '#include <event2/event.h>\n' | tee "$1/daemon/loop.c" >"$1/daemon/conn.c"
    printf '#include <nghttp2/nghttp2.h>\n#include <openssl/ssl.h>\nexit(1);\n' >>"$1/daemon/daemon.c"
    cat >>"$1/sync/sync.c" <<'CODE'
#include <time.h>
#include "storage/storage.h"
// open() and time() stand in a comment, strcpy( too
/* printf("so it goes
   on for getenv() lines */
static const char text[] = "rand() \" in quotes, open()";
static const char template[] = "XXXXXX";
snprintf(a, 1, "x"); reopen(b); txn->open(c); txn.time(d); change_time(e);
CODE
    { echo 'static void longest(void)' && echo '{' && seq 68 | sed 's/.*/;/' && echo '}'; } \
        >"$1/base/longest.c"
    seq 500 | sed 's/.*/;/' >"$1/base/file.c"
}

# plant PATH TEXT SENTENCE: with TEXT behind what stands in PATH, the check must name the file and
# say the sentence, and nothing else.
plant() {
    local house=$scratch/planted said
    rm -rf "$house"
    cp -r "$scratch/house" "$house"
    printf '%b\n' "$2" >>"$house/$1"
    if said=$(check_tree "$house"); then
        echo "style: not caught in $1: $3"
        return 1
    fi
    if ! grep -qF "$1" <<<"$said" || ! grep -qF "$3" <<<"$said" ||
        [ "$(tail -n 1 <<<"$said")" != "style: 1 faults" ]; then
        printf 'style: expected one fault, "%s" in %s, but it said\n%s\n' "$3" "$1" "$said"
        return 1
    fi
    planted=$((planted + 1))
}

plant_includes() {
    local rooms=(base proto storage sync client) i j
    for i in 0 1 2 3 4; do
        for ((j = i + 1; j < 5; j++)); do
            plant "${rooms[i]}/new.c" "#include \"${rooms[j]}/x.h\"" "may not include ${rooms[j]}/"
        done
        plant "${rooms[i]}/new.c" '#include "daemon/x.h"' 'may not include daemon/'
    done
    plant daemon/new.c '#include "client/x.h"' 'may not include client/'
    plant proto/proto.h '  #  include "storage/x.h"' 'may not include storage/'
    plant client/new.c '#include "client/command/app.h"' 'a library does not know its command'
    plant client/command/new.c '#include "sync/x.h"' 'a command knows base/ and client/folkmoot.h'
    plant client/command/new.c '#include "client/state.h"' 'a command knows base/ and client/folkmoot.h'
    plant sync/new.c '#include "merge.h"' 'not named from the root'
    plant sync/new.c '#include "../base/buf.h"' 'not named from the root'
}

plant_libraries() {
    plant sync/new.c '#include <lmdb.h>' 'belongs to storage/'
    plant daemon/new.c '#include <lmdb.h>' 'belongs to storage/'
    plant sync/new.c '#include <zstd.h>' 'belongs to proto/ and'
    plant daemon/new.c '#include <zdict.h>' 'belongs to proto/ and'
    plant sync/new.c '#include <openssl/sha.h>' 'openssl/ belongs'
    plant client/outbox.c '#include <openssl/rand.h>' 'openssl/ belongs'
    plant client/new.c '#include <nghttp2/nghttp2.h>' 'belongs to daemon/'
    plant daemon/new.c '#include <curl/curl.h>' 'belongs to client/'
    plant daemon/third.c '#include <event2/event.h>' 'more than two files'
    plant client/new.c '#include <event2/event.h>' 'event2/ belongs'
    plant daemon/loop.h '#pragma once\n#include <event2/event.h>' 'event2/ belongs'
}

plant_calls() {
    local call
    for call in 'time(NULL)' 'clock_gettime (0, &t)' 'getrandom(p, 1, 0)' 'x = rand()' 'getenv("A")' \
        '!open("a", 0)' 'fopen("a", "r")'; do
        plant sync/new.c "$call;" 'sync/ reads no clock'
    done
    for call in 'printf("x")' 'fprintf(f, "x")' 'exit(1)' 'abort()'; do
        plant sync/new.c "$call;" 'a library never'
        plant client/outbox.c "$call;" 'a library never'
    done
    for call in 'strcpy(a, b)' 'sprintf(a, "b")' 'strcat(a, b)' 'gets(a)' 'p = alloca(9)'; do
        plant daemon/new.c "$call;" 'knows no bounds'
        plant tests/new.c "/* why */ $call;" 'knows no bounds'
    done
}

plant_shapes() {
    local word
    for word in TODO FIXME XXX; do
        plant storage/new.c "// $word: later" 'unfinished'
    done
    plant base/longest.c "static void f(void)\n{$(printf '\\n;%.0s' {1..69})\n}" 'a function of 71 lines'
    plant base/file.c ';' 'a file of 501 lines'
    plant sync/new.h 'int x;' 'without #pragma once'
}

self_test() {
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    planted=0
    mkdir "$scratch/house"
    make_house "$scratch/house"
    check_tree "$scratch/house" >"$scratch/said" || {
        echo "style: complains about a house in good order:"
        cat "$scratch/said"
        return 1
    }
    plant_includes
    plant_libraries
    plant_calls
    plant_shapes
    echo "style: self-test, $planted planted faults, all caught"
}

case ${1:-} in
--self-test) self_test ;;
*) check_tree "${1:-$here/..}" ;;
esac
