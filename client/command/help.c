#include "client/command/help.h"

#include <stdio.h>
#include <string.h>

#include "client/command/app.h"
#include "client/command/page.h"
#include "client/folkmoot.h"

enum { NAME_COLUMNS = 24, NAME_BYTES_MAX = 100 };

static void put_hyphened(struct buf *out, const char *name)
{
    for (; *name; name++)
        buf_put_u8(out, (uint8_t)(*name == '_' ? '-' : *name));
}

// A name and, beside it or beneath it, what it is.
static void print_entry(const char *name, const char *text)
{
    struct buf BUF_CLEANUP line = {0};
    int n = (int)strlen(name);
    buf_put_format(&line, "%s", name);
    if (n < NAME_COLUMNS - 4 && (int)strlen(text) <= page_width() - NAME_COLUMNS) {
        buf_put_format(&line, "%*s%s", NAME_COLUMNS - 2 - n, "", text);
        page_line(2, &line);
        return;
    }
    page_line(2, &line);
    page_paragraph(NAME_COLUMNS, text);
}

static void print_option(const struct option *option)
{
    struct buf BUF_CLEANUP name = {0};
    buf_put_text(&name, "--");
    put_hyphened(&name, option->name);
    buf_put_format(&name, "%s%s", option->value ? " " : "", option->value ? option->value : "");
    buf_put_u8(&name, 0);
    if (name.err == OK)
        print_entry((const char *)name.p, option->help);
}

// The options of one command, or those of all.
static void print_options(const struct command *command, const char *heading)
{
    const struct option *option;
    bool any = false;
    for (size_t i = 0; (option = options_row(i)); i++) {
        bool wanted =
            command ? option->commands && options_takes(command, option) : !option->commands;
        if (!wanted || !option->help)
            continue;
        if (!any)
            printf("\n%s\n", heading);
        any = true;
        print_option(option);
    }
}

// --- fields ---

static void put_field(struct buf *out, const char *kind, const char *field)
{
    buf_put_text(out, " --");
    put_hyphened(out, field);
    const char *value;
    for (size_t i = 0; (value = folkmoot_field_value(kind, field, i)); i++)
        buf_put_format(out, "%s%s", i ? "|" : " ", value);
}

static void print_fields(void)
{
    const char *kind;
    const char *field;
    printf("\nKinds and their fields\n");
    for (size_t i = 0; (kind = folkmoot_kind_name(i)); i++) {
        struct buf BUF_CLEANUP text = {0};
        for (size_t k = 0; (field = folkmoot_field_name(kind, k)); k++)
            put_field(&text, kind, field);
        buf_put_u8(&text, 0);
        printf("  %s\n", kind);
        if (text.err == OK)
            page_paragraph(6, (const char *)text.p + (text.p[0] == ' '));
    }
    printf("\nTimes are 2026-11-23T10:00:00Z or 2026-11-23, days 2026-11-23, amounts 1200 or "
           "1200.50,\n"
           "a place is NAME, NAME|CODE or NAME|CODE|LAT,LON. Field names may have - for _.\n");
}

// --- the pages ---

static void print_overview(void)
{
    printf("folkmoot: gather what a community says it needs, with or without a signal\n\n"
           "Usage: folkmoot COMMAND [OPTIONS]\n\nCommands\n");
    const struct command *command;
    for (size_t i = 0; (command = options_command(i)); i++) {
        char name[NAME_BYTES_MAX];
        snprintf(name, sizeof(name), "%s%s%s", command->name, command->args[0] ? " " : "",
                 command->args);
        print_entry(name, command->summary);
    }
    print_options(NULL, "Options of every command");
    printf(
        "\nA REF is a record's short id as list shows it, its whole id, KIND:ID, the key that an\n"
        "import gave it, or its exact title.\n"
        "\nExit codes: 0 done; 1 failed; 2 the command line is wrong; 3 no answer from the hub,\n"
        "try again; 4 the hub refused, or it is not the hub that the invitation named.\n"
        "\nfolkmoot help COMMAND says more.\n");
}

void help_print(const struct command *command)
{
    if (!command) {
        print_overview();
        return;
    }
    printf("folkmoot %s%s%s\n\n%s.\n", command->name, command->args[0] ? " " : "", command->args,
           command->summary);
    if (command->details)
        printf("%s\n", command->details);
    print_options(command, "Options");
    if (command->fields)
        print_fields();
    print_options(NULL, "Options of every command");
}

void help_version(void)
{
    printf("folkmoot %s\n", FOLKMOOT_VERSION);
}

enum command_exit help_show(struct app *app)
{
    const struct command *command = NULL;
    if (app->call.args_n == 1) {
        command = options_find(app->call.args[0]);
        if (!command)
            return app_say(COMMAND_USAGE, "there is no command \"%s\"; see folkmoot --help",
                           app->call.args[0]);
    }
    help_print(command);
    return COMMAND_OK;
}
