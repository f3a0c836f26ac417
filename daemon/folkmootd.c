// folkmootd, the hub. See --help.

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/report.h"

enum exit_code { EXIT_CODE_OK, EXIT_CODE_FAILED, EXIT_CODE_USAGE };

static const char help[] =
    "usage: folkmootd [--config FILE] [--check-config]\n"
    "\n"
    "The Folkmoot hub: keeps communities' changes and syncs them with devices.\n"
    "\n"
    "  --config FILE   read this configuration; without it every key has its default\n"
    "  --check-config  print every key with its value, and end\n"
    "  --version       print the version\n"
    "  --help          print this\n"
    "\n"
    "Signals: TERM and INT answer what was received, commit and end (a second one ends at once);\n"
    "HUP reads the TLS certificate and key anew.\n"
    "\n"
    "Exit status: 0 it ended as asked; 1 it could not start, or the configuration is wrong;\n"
    "2 it was called wrongly.\n";

struct arguments {
    const char *config;
    bool check_only;
};

// EXIT_CODE_OK with `ended`: nothing more to do.
static enum exit_code parse(int argc, char **argv, struct arguments *arguments, bool *ended)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"check-config", no_argument, NULL, 'C'},
                                            {"version", no_argument, NULL, 'V'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    *ended = true;
    for (int option; (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            arguments->config = optarg;
            break;
        case 'C':
            arguments->check_only = true;
            break;
        case 'V':
            (void)puts("folkmootd " FOLKMOOT_VERSION);
            return EXIT_CODE_OK;
        case 'h':
            (void)fputs(help, stdout);
            return EXIT_CODE_OK;
        default:
            (void)fputs("See folkmootd --help.\n", stderr);
            return EXIT_CODE_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "folkmootd: what is \"%s\"? See folkmootd --help.\n", argv[optind]);
        return EXIT_CODE_USAGE;
    }
    *ended = false;
    return EXIT_CODE_OK;
}

static enum report_level level_of(const char *name)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum report_level)i;
    return REPORT_INFO;
}

static enum err read_config(const struct arguments *arguments, struct config *config,
                            struct fault *fault)
{
    config_default(config);
    enum err err = arguments->config ? config_read(arguments->config, config, fault) : OK;
    return err ? err : config_check(config, fault);
}

static enum exit_code run(const struct config *config)
{
    struct fault fault = {0};
    struct daemon *daemon;
    report_set_level(level_of(config->level));
    if (daemon_start(config, &daemon, &fault)) {
        report_put(REPORT_ERROR, "cannot start: %s", fault.text);
        return EXIT_CODE_FAILED;
    }
    // Its handler stands by now.
    sigset_t hangup;
    (void)sigemptyset(&hangup);
    (void)sigaddset(&hangup, SIGHUP);
    (void)sigprocmask(SIG_UNBLOCK, &hangup, NULL);
    daemon_run(daemon);
    daemon_free(&daemon);
    report_put(REPORT_INFO, "ended");
    return EXIT_CODE_OK;
}

int main(int argc, char **argv)
{
    // A reload that is asked for while the hub starts must not kill it.
    sigset_t hangup;
    (void)sigemptyset(&hangup);
    (void)sigaddset(&hangup, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &hangup, NULL);
    (void)signal(SIGPIPE, SIG_IGN);

    struct arguments arguments = {0};
    bool ended;
    enum exit_code code = parse(argc, argv, &arguments, &ended);
    if (ended)
        return (int)code;
    static struct config config;
    struct fault fault = {0};
    if (read_config(&arguments, &config, &fault)) {
        (void)fprintf(stderr, "folkmootd: %s\n", fault.text);
        return EXIT_CODE_FAILED;
    }
    if (arguments.check_only) {
        config_print(&config, stdout);
        return EXIT_CODE_OK;
    }
    return (int)run(&config);
}
