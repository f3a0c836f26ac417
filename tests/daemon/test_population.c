// The population table: what an admin's file may look like, what is wrong with others, and which
// place a person's words mean.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/population.h"
#include "tests/leaks.h"

// Reads this text as a file; the path's name in faults becomes "FILE".
static enum err read_bytes(struct bytes text, struct population_table *table, struct fault *fault)
{
    char path[] = "/tmp/folkmoot-population-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    cr_assert(file && fwrite(text.p, 1, text.n, file) == text.n && fclose(file) == 0);
    *fault = (struct fault){OK, ""};
    enum err err = population_table_read(path, table, fault);
    (void)unlink(path);
    char *at = err ? strstr(fault->text, path) : NULL;
    if (at) {
        memcpy(at, "FILE", 4);
        memmove(at + 4, at + strlen(path), strlen(at + strlen(path)) + 1);
    }
    return err;
}

static void read_good(const char *text, struct population_table *table)
{
    struct fault fault;
    cr_assert_eq(read_bytes(bytes_of_text(text), table, &fault), OK, "%s", fault.text);
}

static void expect_fault(const char *text, enum err err, const char *sentence)
{
    struct population_table table = {.population = {0}};
    struct fault fault;
    cr_expect_eq(read_bytes(bytes_of_text(text), &table, &fault), err, "\"%s\"", text);
    cr_expect(strstr(fault.text, sentence), "\"%s\" says: %s", text, fault.text);
    cr_expect_eq(table.population.n, 0);
}

static void expect_place(const struct population_table *table, const char *text, const char *code)
{
    const struct population_place *found = population_find(&table->population, bytes_of_text(text));
    if (!code)
        cr_expect_null(found, "%s", text);
    else
        cr_expect(found && bytes_equal(found->code, bytes_of_text(code)), "%s", text);
}

Test(population, is_read_with_columns_in_any_order_and_others_beside_them)
{
    struct population_table table = {.population = {0}};
    read_good("\xef\xbb\xbfname,LAT,persons,code\r\n"
              "\"Gate, the\",51.5,1200,G1\r\n\r\nالبئر,,,W1\r\n\"two\nlines\",,0,A1",
              &table);
    const struct population *population = &table.population;
    cr_assert_eq(population->n, 3);
    const struct population_place *places = population->places; // by code
    cr_expect(bytes_equal(places[0].name, bytes_of_text("two\nlines")));
    cr_expect(places[0].is_counted && places[0].persons == 0);
    cr_expect(bytes_equal(places[1].name, bytes_of_text("Gate, the")));
    cr_expect(places[1].is_counted && places[1].persons == 1200 && places[1].line == 2);
    cr_expect_not(places[2].is_counted);
    cr_expect_eq(places[2].line, 4);
    population_table_done(&table);
    read_good("code,name\n", &table);
    cr_expect_eq(table.population.n, 0);
    population_table_done(&table);
    expect_no_leaks();
}

Test(population, finds_a_place_by_code_or_else_by_a_name_that_only_one_has)
{
    struct population_table table = {.population = {0}};
    read_good("code,name\nE1,Abbey\nE2,Abbey\nE3,Gate\nE4,E1\nE5,\nE6,\n", &table);
    expect_place(&table, "E1", "E1"); // though E4 is called so
    expect_place(&table, "Gate", "E3");
    expect_place(&table, "Abbey", NULL);
    expect_place(&table, "gate", NULL);
    expect_place(&table, "", NULL);
    expect_place(&table, "Gate ", NULL);
    expect_place(&table, "Z", NULL);
    expect_place(&(struct population_table){.population = {0}}, "E1", NULL);
    population_table_done(&table);
    expect_no_leaks();
}

Test(population, names_file_and_line_and_says_what_to_do)
{
    expect_fault("", ERR_MALFORMED, "FILE:1: the first line names the columns");
    expect_fault("code;name\nE1;a\n", ERR_MALFORMED, "FILE:1: the first line names the columns");
    expect_fault("code,persons\nE1,3\n", ERR_MALFORMED, "\"code\" and \"name\"");
    expect_fault("code,name,code\n", ERR_MALFORMED, "FILE:1: a column is named twice");
    expect_fault("code,name\nE1\n", ERR_MALFORMED, "FILE:2: this row has more or fewer cells");
    expect_fault("code,name\nE1,a,b\n", ERR_MALFORMED, "FILE:2: this row has more or fewer");
    expect_fault("code,name\nE1,a\n,b\n", ERR_MALFORMED, "FILE:3: this row has no code");
    expect_fault("code,name\nE1,a\nE2,b\n\nE1,c\n", ERR_MALFORMED,
                 "FILE:5: a place before it has the same code");
    expect_fault("code,name,persons\nE1,a,\"1,200\"\n", ERR_MALFORMED,
                 "FILE:2: persons is a whole");
    expect_fault("code,name,persons\nE1,a,-1\n", ERR_MALFORMED, "FILE:2: persons is a whole");
    expect_fault("code,name,persons\nE1,a,4294967296\n", ERR_MALFORMED, "persons is a whole");
    expect_fault("code,name\nE1,a\"b\n", ERR_MALFORMED, "FILE:2: a quotation mark");
    expect_fault("code,name\nE1,\"a\n", ERR_MALFORMED, "FILE:2: a quotation mark");
    expect_fault("code,name\nE1,caf\xe9\n", ERR_MALFORMED, "FILE:2: this is not UTF-8");
    struct population_table table = {.population = {0}};
    struct fault fault;
    cr_expect_eq(population_table_read("/no/such/file.csv", &table, &fault), ERR_NOT_FOUND);
    cr_expect(strstr(fault.text, "/no/such/file.csv"));
    expect_no_leaks();
}

static void put_rows(struct buf *text, int rows)
{
    buf_reset(text);
    buf_put_text(text, "code,name\n");
    for (int i = 0; i < rows; i++)
        buf_put_format(text, "E%05d,place %d\n", i, i % 100);
}

Test(population, has_limits)
{
    struct population_table table = {.population = {0}};
    struct buf text = {0};
    struct fault fault;
    put_rows(&text, POPULATION_MAX);
    cr_assert_eq(read_bytes(buf_bytes(&text), &table, &fault), OK, "%s", fault.text);
    cr_expect_eq(table.population.n, POPULATION_MAX);
    put_rows(&text, POPULATION_MAX + 1);
    cr_expect_eq(read_bytes(buf_bytes(&text), &table, &fault), ERR_LIMIT);
    cr_expect(strstr(fault.text, "FILE:20002: at most 20,000 places"), "%s", fault.text);
    buf_reset(&text);
    while (text.n <= POPULATION_BYTES_MAX)
        buf_put_text(&text, "code,name\n");
    cr_expect_eq(read_bytes(buf_bytes(&text), &table, &fault), ERR_LIMIT);
    buf_reset(&text);
    buf_put_text(&text, "code,name");
    for (int i = 0; i < 99; i++)
        buf_put_text(&text, ",");
    cr_expect_eq(read_bytes(buf_bytes(&text), &table, &fault), ERR_LIMIT, "101 columns");
    buf_reset(&text);
    buf_put_text(&text, "code,name\nE1,");
    for (int i = 0; i < 201; i++)
        buf_put_u8(&text, 'a');
    cr_expect_eq(read_bytes(buf_bytes(&text), &table, &fault), ERR_LIMIT);
    cr_expect_eq(table.population.n, POPULATION_MAX, "what is refused changes nothing");
    buf_done(&text);
    population_table_done(&table);
    expect_no_leaks();
}
