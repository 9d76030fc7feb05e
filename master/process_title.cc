// SPDX-License-Identifier: Apache-2.0
#include "master/process_title.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include <unistd.h>

namespace ringmaster::master {

namespace {

char* g_area = nullptr;
size_t g_area_bytes = 0;

}  // namespace

void init_process_title(int argument_count, char** arguments) {
    if (argument_count < 1) {
        return;
    }
    char* end = arguments[0];
    // The kernel lays the strings out one behind the other, argv and then the environment; a gap
    // means that somebody moved them, and what is behind it is not ours.
    const auto extend = [&end](char* text) {
        if (text == end) {
            end += std::strlen(text) + 1;
        }
    };
    for (int i = 0; i < argument_count; ++i) {
        extend(arguments[i]);
    }
    size_t count = 0;
    while (environ[count] != nullptr) {
        extend(environ[count++]);
    }
    // Ours for life: whoever unsets a variable drops it from `environ` and frees nothing.
    static auto& texts = *new std::vector<std::string>;
    static auto& copy = *new std::vector<char*>;
    texts.assign(environ, environ + count);
    for (std::string& text : texts) {
        copy.push_back(text.data());
    }
    copy.push_back(nullptr);
    environ = copy.data();
    g_area = arguments[0];
    g_area_bytes = static_cast<size_t>(end - arguments[0]);
}

void set_process_title(const std::string& title) {
    if (g_area_bytes == 0) {
        return;
    }
    const size_t size = std::min(title.size(), g_area_bytes - 1);
    std::memset(g_area, 0, g_area_bytes);
    title.copy(g_area, size);
}

}  // namespace ringmaster::master
