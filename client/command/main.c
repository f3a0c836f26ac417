#include <stdio.h>
#include <stdlib.h>

#include "client/command/app.h"
#include "client/command/completion.h"
#include "client/command/help.h"

// folkmoot: a device of a community, for a volunteer with a laptop.

static enum command_exit run_command(struct app *app)
{
    enum command_exit done = app_open(app);
    if (done == COMMAND_OK)
        done = app->call.command->run(app);
    app_close(app);
    return done;
}

static enum command_exit run(struct app *app)
{
    if (options_given(&app->call, "version")) {
        help_version();
        return COMMAND_OK;
    }
    if (options_given(&app->call, "help")) {
        help_print(app->call.command);
        return COMMAND_OK;
    }
    if (options_given(&app->call, "completion")) {
        completion_print();
        return COMMAND_OK;
    }
    if (!app->call.command)
        return app_say(COMMAND_USAGE, "say what to do; see folkmoot --help");
    app->json = options_given(&app->call, "json");
    return run_command(app);
}

int main(int argc, char **argv)
{
    static struct app app;
    enum command_exit done = options_parse(&app.call, argc, argv);
    if (done == COMMAND_OK)
        done = run(&app);
    if ((fflush(stdout) || ferror(stdout)) && done == COMMAND_OK)
        done = app_say(COMMAND_FAILED, "what there was to say could not be written");
    return (int)done;
}
