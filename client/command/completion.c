#include "client/command/completion.h"

#include <stdio.h>
#include <string.h>

#include "client/command/options.h"
#include "client/folkmoot.h"

static void print_hyphened(const char *name)
{
    for (; *name; name++)
        (void)putchar(*name == '_' ? '-' : *name);
}

static void print_commands_names(void)
{
    const struct command *command;
    for (size_t i = 0; (command = options_command(i)); i++)
        printf("%s%s", i ? " " : "", command->name);
}

static void print_kinds(void)
{
    const char *kind;
    for (size_t i = 0; (kind = folkmoot_kind_name(i)); i++)
        printf("%s%s", i ? " " : "", kind);
}

// "REF for|against" has the words "for against".
static void print_choices(const char *args)
{
    const char *bar = strchr(args, '|');
    if (!bar)
        return;
    while (bar > args && bar[-1] != ' ' && bar[-1] != '[')
        bar--;
    if (*bar < 'a' || *bar > 'z')
        return; // no words, but names of what may stand there
    for (; *bar && *bar != ' ' && *bar != ']'; bar++)
        (void)putchar(*bar == '|' ? ' ' : *bar);
}

// What a shell can offer for what the help calls so.
static void print_offer(const char *args)
{
    if (strstr(args, "KIND"))
        print_kinds();
    else if (strstr(args, "COMMAND"))
        print_commands_names();
    else if (strstr(args, "FILE") || strcmp(args, "DIR") == 0)
        printf("@file");
    else if (strcmp(args, "ROLE") == 0)
        printf("member volunteer coordinator observer");
    else if (strstr(args, "REF ") || args[0] == '[')
        print_choices(args);
}

static void print_takers(const struct option *option)
{
    const struct command *command;
    const char *between = "";
    for (size_t i = 0; option->commands && (command = options_command(i)); i++) {
        if (!options_takes(command, option))
            continue;
        printf("%s%s", between, command->name);
        between = ",";
    }
}

static void print_option(const struct option *option)
{
    printf("option\t");
    print_takers(option);
    (void)putchar('\t');
    print_hyphened(option->name);
    printf("\t%s\t", option->value ? option->value : "");
    if (option->value)
        print_offer(option->value);
    printf("\t%s\n", option->help);
}

// --- fields ---

static bool has_field(const char *kind, const char *name)
{
    const char *field;
    for (size_t i = 0; (field = folkmoot_field_name(kind, i)); i++)
        if (strcmp(field, name) == 0)
            return true;
    return false;
}

// Whether a kind before this one has it, too.
static bool was_printed(size_t kind_at, const char *field)
{
    for (size_t i = 0; i < kind_at; i++)
        if (has_field(folkmoot_kind_name(i), field))
            return true;
    return false;
}

static void print_field(const char *kind, const char *field)
{
    const struct command *command;
    const char *value, *between = "";
    printf("option\t");
    for (size_t i = 0; (command = options_command(i)); i++) {
        if (!command->fields)
            continue;
        printf("%s%s", between, command->name);
        between = ",";
    }
    (void)putchar('\t');
    print_hyphened(field);
    printf("\tVALUE\t");
    for (size_t i = 0; (value = folkmoot_field_value(kind, field, i)); i++)
        printf("%s%s", i ? " " : "", value);
    printf("\tA field, for example of %s\n", kind);
}

static void print_fields(void)
{
    const char *kind, *field;
    for (size_t i = 0; (kind = folkmoot_kind_name(i)); i++)
        for (size_t k = 0; (field = folkmoot_field_name(kind, k)); k++)
            if (!was_printed(i, field))
                print_field(kind, field);
}

void completion_print(void)
{
    const struct command *command;
    const struct option *option;
    printf("program\tfolkmoot\n");
    for (size_t i = 0; (command = options_command(i)); i++) {
        printf("command\t%s\t", command->name);
        print_offer(command->args);
        printf("\t%s\n", command->summary);
    }
    for (size_t i = 0; (option = options_row(i)); i++)
        if (option->help)
            print_option(option);
    print_fields();
}
