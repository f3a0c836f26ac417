// The table of roles is what docs/roles.md shows, cell for cell.

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/schema.h"
#include "sync/role.h"

enum { TEXT_MAX = 32 << 10, LINE_MAX_BYTES = 200 };

static char page[TEXT_MAX];

static void read_page(void)
{
    FILE *file = fopen(ROLES_PAGE, "re");
    cr_assert(file, "no %s", ROLES_PAGE);
    size_t n = fread(page, 1, sizeof page - 1, file);
    cr_assert(n > 0 && n < sizeof page - 1);
    page[n] = 0;
    cr_assert(fclose(file) == 0);
}

TestSuite(role, .init = read_page);

// The lines of a table that stand under its title, without the two of its head.
static const char *rows_under(const char *title)
{
    const char *at = strstr(page, title);
    cr_assert(at, "no table '%s'", title);
    at = strstr(at, "\n|---");
    cr_assert(at);
    return strchr(at + 1, '\n') + 1;
}

// Compares the row at `at` with the one made of the table, and gives the next.
static const char *expect_row(const char *at, const char *name,
                              enum role_reach (*reach)(enum role role, uint32_t row), uint32_t row)
{
    char line[LINE_MAX_BYTES];
    int n = snprintf(line, sizeof line, "| %s |", name);
    for (int role = 0; role < ROLE_COUNT; role++)
        n += snprintf(line + n, sizeof line - (size_t)n, " %s |",
                      role_reach_name(reach((enum role)role, row)));
    cr_expect(strncmp(at, line, strlen(line)) == 0 && at[strlen(line)] == '\n',
              "docs/roles.md has not: %s", line);
    return strchr(at, '\n') + 1;
}

static enum role_reach call(enum role role, uint32_t row)
{
    return role_may_call(role, (enum role_call)row);
}

static enum role_reach see(enum role role, uint32_t row)
{
    return role_may_see(role, row, CLASS_ORDINARY);
}

// Every kind has its row, then the kinds that this version does not know.
static void expect_kinds(const char *title, enum role_reach (*reach)(enum role role, uint32_t row))
{
    const char *at = rows_under(title);
    for (uint32_t kind = KIND_NEED; kind <= KIND_REQUEST; kind++)
        at = expect_row(at, schema_kind(kind)->name, reach, kind);
    at = expect_row(at, "any other kind", reach, 10000);
    cr_expect(*at != '|', "docs/roles.md has a row too many under '%s'", title);
}

Test(role, the_page_shows_who_may_call_what, .timeout = 60)
{
    const char *at = rows_under("## Calls");
    for (uint32_t row = 0; row < CALL_COUNT; row++)
        at = expect_row(at, role_call_name((enum role_call)row), call, row);
    cr_expect(*at != '|');
}

Test(role, the_page_shows_who_may_write_what, .timeout = 60)
{
    expect_kinds("## Writes", role_may_write);
}

Test(role, the_page_shows_who_sees_what, .timeout = 60)
{
    expect_kinds("## Sees", see);
}

Test(role, what_is_not_ordinary_is_seen_as_little_as_a_contact, .timeout = 60)
{
    for (int role = 0; role < ROLE_COUNT; role++) {
        for (uint32_t class = CLASS_ORDINARY + 1; class < 100; class ++) {
            enum role_reach reach = role_may_see((enum role)role, KIND_NEED, class);
            cr_expect(reach <= role_may_see((enum role)role, KIND_CONTACT, CLASS_ORDINARY));
        }
    }
}

Test(role, a_role_that_does_not_exist_may_nothing, .timeout = 60)
{
    enum role none = (enum role)ROLE_COUNT;
    cr_expect(role_may_call(none, CALL_SYNC) == REACH_NONE);
    cr_expect(role_may_write(none, KIND_NEED) == REACH_NONE);
    cr_expect(role_may_see(none, KIND_NEED, CLASS_ORDINARY) == REACH_NONE);
    cr_expect(role_by_name("administrator") == ROLE_NONE);
}
