// The benchmark: rows that are named, or all but "fixed". script/bench runs it.

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/figure.h"
#include "bench/rows.h"
#include "bench/texts.h"
#include "bench/town.h"
#include "tests/e2e/check.h"

// clang-format off
static const struct row rows[] = {
    {"push", row_push},
    {"small", row_small},
    {"take", row_take},
    {"commit", row_commit},
    {"noop", row_noop},
    {"idle", row_idle},
    {"handshake", row_handshake},
    {"start", row_start},
    {"disk", row_disk},
    {"picture", row_picture},
    {"growth", row_growth},
    {"storm", row_storm},
    {"curves", row_curves},
    {"fixed", row_fixed},
};
// clang-format on

enum { ROWS = sizeof rows / sizeof *rows, RUNS = 3 };

static const char usage[] =
    "usage: folkmoot-bench [-q] [-n RUNS] [-o FILE] [-v VOTES] TEXTS FOLDER [ROW...]\n"
    "  -q       as little as shows that each row works\n"
    "  -o FILE  figures are appended there as JSON lines\n"
    "  -v VOTES what bench/votes.py made: for the row \"picture\"\n"
    "  TEXTS    what bench/texts.py made\n"
    "  FOLDER   hubs that were filled once are kept there\n"
    "rows:";

static int refuse(void)
{
    fputs(usage, stderr);
    for (size_t i = 0; i < ROWS; i++)
        fprintf(stderr, " %s", rows[i].name);
    fputs("\n", stderr);
    return 2;
}

static const struct row *find(const char *name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static void measure(const struct row *row, const struct plan *plan)
{
    int64_t begun = check_now_ms();
    printf("%s\n", row->name);
    row->measure(plan);
    figure_say("%s took %.1f s", row->name, (double)(check_now_ms() - begun) / 1000);
}

static void run_rows(char **names, int n, const struct plan *plan)
{
    for (int i = 0; i < n; i++)
        measure(find(names[i]), plan);
    for (size_t i = 0; i < ROWS && n == 0; i++)
        if (rows[i].measure != row_fixed)
            measure(&rows[i], plan);
}

int main(int argc, char **argv)
{
    struct plan plan = {.runs = RUNS};
    const char *out = NULL;
    for (int option; (option = getopt(argc, argv, "qn:o:v:")) != -1;) {
        if (option == 'q')
            plan.runs = 1, plan.quick = true;
        else if (option == 'n')
            plan.runs = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'o')
            out = optarg;
        else if (option == 'v')
            plan.votes = optarg;
        else
            return refuse();
    }
    if (argc - optind < 2 || plan.runs == 0)
        return refuse();
    for (int i = optind + 2; i < argc; i++)
        if (!find(argv[i]))
            return refuse();
    figure_open(out);
    texts_open(argv[optind]);
    town_keep_in(argv[optind + 1]);
    run_rows(argv + optind + 2, argc - optind - 2, &plan);
    figure_close();
    return 0;
}
