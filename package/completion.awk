# Makes a shell's completion of what a program says of itself with --completion:
#
#   folkmoot --completion | awk -v shell=bash -f completion.awk        (or zsh, or fish)
#
# Lines with tabs between: "program NAME"; "command NAME OFFER SUMMARY"; "option COMMANDS NAME VALUE
# OFFER SUMMARY". A command may have two words; COMMANDS has commas between, empty: all. OFFER: words
# with spaces between, or @file.

BEGIN { FS = "\t" }

$1 == "program" { program = $2 }

$1 == "command" {
    commands[++commands_n] = $2
    offer[$2] = $3
    summary[$2] = $4
    split($2, words, " ")
    if (!(words[1] in seen)) {
        seen[words[1]] = 1
        firsts[++firsts_n] = words[1]
    }
    if (words[2] != "") {
        seconds[words[1]] = seconds[words[1]] (seconds[words[1]] ? " " : "") words[2]
    }
}

$1 == "option" {
    options_n++
    of[options_n] = $2
    name[options_n] = $3
    value[options_n] = $4
    value_offer[options_n] = $5
    option_summary[options_n] = $6
}

END {
    if (shell == "zsh")
        print "#compdef " program
    print "# Made from the table of " program " itself; not to be edited."
    if (shell == "bash")
        bash()
    else if (shell == "zsh")
        zsh()
    else
        fish()
}

function takes(i, command) {
    return of[i] == "" || index("," of[i] ",", "," command ",")
}

# In single quotes, for any of the shells.
function quoted(text) {
    if (shell == "fish") {
        gsub(/\\/, "\\\\", text)
        gsub(/\047/, "\\\047", text)
    } else
        gsub(/\047/, "\047\\\047\047", text)
    return "\047" text "\047"
}

# "--a --b" of the options that a command takes; "": those of all commands.
function options_of(command,    i, list) {
    for (i = 1; i <= options_n; i++)
        if (takes(i, command))
            list = list (list ? " " : "") "--" name[i]
    return list
}

# A shell pattern of the options that take a value.
function with_value(    i, list, done) {
    for (i = 1; i <= options_n; i++)
        if (value[i] != "" && !(name[i] in done)) {
            done[name[i]] = 1
            list = list (list ? "|" : "") "--" name[i]
        }
    return list
}

# The command that stands before the cursor goes to $command; the same text does for bash and zsh.
function find_command(words, current,    i) {
    print "    local command= i=" (shell == "zsh" ? 2 : 1) " word"
    print "    while ((i < " current ")); do"
    print "        word=${" words "[i]}"
    print "        case $word in"
    print "            " with_value() ") i=$((i + 1)) ;;"
    print "            -*) ;;"
    print "            *)"
    print "                command=${command:+$command }$word"
    print "                case $command in"
    for (i = 1; i <= firsts_n; i++)
        if (firsts[i] in seconds)
            print "                    " quoted(firsts[i]) ") ;;"
    print "                    *) break ;;"
    print "                esac"
    print "                ;;"
    print "        esac"
    print "        i=$((i + 1))"
    print "    done"
}

function bash_offer(what) {
    if (what == "@file")
        return "COMPREPLY=($(compgen -f -- \"$now\"))"
    return "COMPREPLY=($(compgen -W " quoted(what) " -- \"$now\"))"
}

function bash(    i, done) {
    print "_" program "() {"
    print "    local now=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}"
    print "    COMPREPLY=()"
    find_command("COMP_WORDS", "COMP_CWORD")
    print "    case $before in"
    for (i = 1; i <= options_n; i++)
        if (value[i] != "" && !(name[i] in done)) {
            done[name[i]] = 1
            print "        --" name[i] ") " bash_offer(value_offer[i]) "; return 0 ;;"
        }
    print "    esac"
    print "    if [[ $now == -* ]]; then"
    print "        case $command in"
    for (i = 1; i <= commands_n; i++)
        print "            " quoted(commands[i]) ") " bash_words(options_of(commands[i])) " ;;"
    print "            *) " bash_words(options_of("")) " ;;"
    print "        esac"
    print "        return 0"
    print "    fi"
    print "    case $command in"
    print "        \"\") " bash_words(joined_firsts()) " ;;"
    for (i = 1; i <= firsts_n; i++)
        if (firsts[i] in seconds)
            print "        " quoted(firsts[i]) ") " bash_words(seconds[firsts[i]]) " ;;"
    for (i = 1; i <= commands_n; i++)
        if (offer[commands[i]] != "")
            print "        " quoted(commands[i]) ") " bash_offer(offer[commands[i]]) " ;;"
    print "    esac"
    print "    return 0"
    print "}"
    print "complete -o filenames -F _" program " " program
}

function bash_words(list) {
    return "COMPREPLY=($(compgen -W " quoted(list) " -- \"$now\"))"
}

function joined_firsts(    i, list) {
    for (i = 1; i <= firsts_n; i++)
        list = list (list ? " " : "") firsts[i]
    return list
}

# A word and what it is, as _describe wants it.
function described(word, what) {
    gsub(/:/, "\\:", word)
    return quoted(word ":" what)
}

function zsh_offer(what) {
    return what == "@file" ? "_files" : what == "" ? "_message value" : "compadd -- " what
}

function zsh_options(command,    i, list) {
    for (i = 1; i <= options_n; i++)
        if (takes(i, command))
            list = list " " described("--" name[i], option_summary[i])
    return list
}

function zsh(    i, k, done, words) {
    print "_" program "() {"
    print "    local -a items"
    find_command("words", "CURRENT")
    print "    case ${words[CURRENT - 1]} in"
    for (i = 1; i <= options_n; i++)
        if (value[i] != "" && !(name[i] in done)) {
            done[name[i]] = 1
            print "        --" name[i] ") " zsh_offer(value_offer[i]) "; return ;;"
        }
    print "    esac"
    print "    if [[ ${words[CURRENT]} == -* ]]; then"
    print "        case $command in"
    for (i = 1; i <= commands_n; i++)
        print "            " quoted(commands[i]) ") items=(" zsh_options(commands[i]) " ) ;;"
    print "            *) items=(" zsh_options("") " ) ;;"
    print "        esac"
    print "        _describe option items"
    print "        return"
    print "    fi"
    print "    case $command in"
    printf "        \"\") items=("
    for (i = 1; i <= firsts_n; i++)
        printf " %s", described(firsts[i], firsts[i] in summary ? summary[firsts[i]] : seconds[firsts[i]])
    print " ); _describe command items ;;"
    for (i = 1; i <= firsts_n; i++) {
        if (!(firsts[i] in seconds))
            continue
        printf "        %s) items=(", quoted(firsts[i])
        for (k = 1; k <= commands_n; k++)
            if (split(commands[k], words, " ") == 2 && words[1] == firsts[i])
                printf " %s", described(words[2], summary[commands[k]])
        print " ); _describe command items ;;"
    }
    for (i = 1; i <= commands_n; i++)
        if (offer[commands[i]] != "")
            print "        " quoted(commands[i]) ") " zsh_offer(offer[commands[i]]) " ;;"
    print "    esac"
    print "}"
    print "_" program " \"$@\""
}

# The condition that a command of one or two words was typed.
function fish_seen(command,    words) {
    split(command, words, " ")
    return "__fish_seen_subcommand_from " words[1] (words[2] ? "; and __fish_seen_subcommand_from " words[2] : "")
}

function fish_arguments(what) {
    return what == "@file" ? "-F" : what == "" ? "-x" : "-x -a " quoted(what)
}

function fish(    i, k, list, n, words) {
    print "complete -c " program " -f"
    for (i = 1; i <= firsts_n; i++)
        print "complete -c " program " -n __fish_use_subcommand -a " firsts[i] " -d " \
            quoted(firsts[i] in summary ? summary[firsts[i]] : seconds[firsts[i]])
    for (i = 1; i <= commands_n; i++) {
        n = split(commands[i], words, " ")
        if (n == 2)
            print "complete -c " program " -n " quoted("__fish_seen_subcommand_from " words[1] \
                "; and not __fish_seen_subcommand_from " seconds[words[1]]) " -a " words[2] " -d " \
                quoted(summary[commands[i]])
        if (offer[commands[i]] != "")
            print "complete -c " program " -n " quoted(fish_seen(commands[i])) " " \
                (offer[commands[i]] == "@file" ? "-F" : "-a " quoted(offer[commands[i]]))
    }
    for (i = 1; i <= options_n; i++) {
        k = split(of[i], list, ",")
        if (k == 0)
            print fish_option(i, "")
        for (n = 1; n <= k; n++)
            print fish_option(i, " -n " quoted(fish_seen(list[n])))
    }
}

function fish_option(i, condition) {
    return "complete -c " program condition " -l " name[i] (value[i] != "" ? " " fish_arguments(value_offer[i]) : "") \
        " -d " quoted(option_summary[i])
}
