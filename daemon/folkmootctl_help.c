#include <stdio.h>
#include <string.h>

#include "daemon/folkmootctl_export.h"
#include "daemon/folkmootctl_store.h"
#include "daemon/folkmootctl_table.h"

enum { COLUMN = 29, COLUMN_OF_OPTIONS = 17 };

// "  NAME ARGS" and beside it its lines.
static void print_entry(int indent, int column, const char *name, const char *args,
                        const char *help)
{
    char head[80];
    (void)snprintf(head, sizeof head, "%*s%s%s%s", indent, "", name, args[0] ? " " : "", args);
    (void)printf("%-*s ", column - 1, head);
    for (size_t n; *help; help += n + (help[n] == '\n')) {
        n = strcspn(help, "\n");
        (void)printf("%.*s\n%*s", (int)n, help, help[n] ? column : 0, "");
    }
}

static void print_option(const struct ctl_option *option, int indent, int column)
{
    char name[40];
    (void)snprintf(name, sizeof name, "--%s", option->name);
    if (option->help)
        print_entry(indent, column, name, option->value ? option->value : "", option->help);
}

static void print_options(const char *of, int indent, int column)
{
    const struct ctl_option *option;
    for (size_t i = 0; (option = ctl_option_row(i)); i++)
        if (of ? option->command && strcmp(option->command, of) == 0 : !option->command)
            print_option(option, indent, column);
}

static void print_commands(bool on_files)
{
    const struct ctl_command *command;
    for (size_t i = 0; (command = ctl_command_row(i)); i++) {
        if (ctl_store_has(command->name) != on_files)
            continue;
        print_entry(2, COLUMN, command->name, command->args, command->help);
        print_options(command->name, 6, COLUMN);
    }
}

void ctl_help(void)
{
    (void)puts("usage: folkmootctl [--socket PATH] [--config FILE] [--json] COMMAND\n"
               "\n"
               "Commands:");
    print_commands(false);
    (void)puts("\nOn the hub's files, with the right to them (as root, or as the hub's user):");
    print_commands(true);
    (void)puts("\nCOMMUNITY is its name, or 8 or more digits of its id. DEVICE is its label, or 6 "
               "or more\ndigits of its handle.\n");
    print_options(NULL, 2, COLUMN_OF_OPTIONS);
    (void)puts(
        "\nExit status: 0 done; 1 refused, or something is damaged, and why; 2 called wrongly;\n"
        "3 the hub cannot be reached.");
}

// --- completion ---

static void print_line(const char *text)
{
    for (; *text; text++)
        (void)putchar(*text == '\n' ? ' ' : *text);
    (void)putchar('\n');
}

// What a shell can offer for what the help calls so.
static const char *offer(const char *args)
{
    const char *words = ctl_export_offer(args);
    if (words)
        return words;
    if (strstr(args, "ROLE"))
        return "member volunteer coordinator observer";
    return strstr(args, "FILE") || strcmp(args, "PATH") == 0 ? "@file" : "";
}

void ctl_completion(void)
{
    const struct ctl_command *command;
    const struct ctl_option *option;
    (void)puts("program\tfolkmootctl");
    for (size_t i = 0; (command = ctl_command_row(i)); i++) {
        (void)printf("command\t%s\t%s\t", command->name, offer(command->args));
        print_line(command->help);
    }
    for (size_t i = 0; (option = ctl_option_row(i)); i++) {
        if (!option->help)
            continue;
        (void)printf("option\t%s\t%s\t%s\t%s\t", option->command ? option->command : "",
                     option->name, option->value ? option->value : "",
                     option->value ? offer(option->value) : "");
        print_line(option->help);
    }
}
