// Stands in for libFuzzer in an ordinary build: runs a fuzz target over each file of a folder, the
// corpus, so that what was once found stays fixed.

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 16 << 20 };

static int replay_fd(int fd)
{
    struct stat stat;
    if (fstat(fd, &stat) || !S_ISREG(stat.st_mode) || stat.st_size > INPUT_MAX)
        return -1;
    size_t n = (size_t)stat.st_size;
    // Exactly as long as the input, so that ASan sees a read past its end.
    uint8_t *data = malloc(n ? n : 1);
    int result = data && read(fd, data, n) == (ssize_t)n ? 0 : -1;
    if (result == 0)
        LLVMFuzzerTestOneInput(data, n);
    free(data);
    return result;
}

static int replay_file(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = replay_fd(fd);
    close(fd);
    return result;
}

// How many files were run; -1 when one could not be read.
static int replay_folder(DIR *folder)
{
    int count = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (entry->d_name[0] == '.')
            continue;
        if (replay_file(dirfd(folder), entry->d_name)) {
            fprintf(stderr, "could not read %s\n", entry->d_name);
            return -1;
        }
        count++;
    }
    return count;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER\n", argc ? argv[0] : "replay");
        return 2;
    }
    int count = replay_folder(folder);
    closedir(folder);
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}
