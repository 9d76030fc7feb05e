// SPDX-License-Identifier: Apache-2.0
// Preloaded under valgrind only. The master starts a worker by executing /proc/self/exe; valgrind
// 3.19 takes that for its own program and the worker dies. Here the link is read first (valgrind
// answers readlink() with the program it runs) and the file itself is executed.
#include <cstring>

#include <dlfcn.h>
#include <unistd.h>

extern "C" int execvp(const char* file, char* const argv[]) {
    static char path[4096];
    using Execvp = int (*)(const char*, char* const*);
    static const Execvp real_execvp = reinterpret_cast<Execvp>(::dlsym(RTLD_NEXT, "execvp"));
    if (std::strcmp(file, "/proc/self/exe") == 0) {
        const ssize_t length = ::readlink(file, path, sizeof path - 1);
        if (length > 0) {
            path[length] = '\0';
            file = path;
        }
    }
    return real_execvp(file, argv);
}
