// SPDX-License-Identifier: Apache-2.0
#include "master/build_info.h"

#include <CLI/Version.hpp>
#include <fmt/core.h>
#include <gnu/libc-version.h>
#include <nlohmann/json_fwd.hpp>
#include <spdlog/version.h>

#include "common/base/format.h"
#include "common/io/library_version.h"
#include "config/library_version.h"

namespace ringmaster::master {

std::string library_versions() {
    return base::format("libuv {}, libyaml {}, CLI11 " CLI11_VERSION
                        ", fmt {}.{}.{}, spdlog {}.{}.{}, "
                        "nlohmann-json {}.{}.{}",
                        io::libuv_version(), config::libyaml_version(), FMT_VERSION / 10000,
                        FMT_VERSION / 100 % 100, FMT_VERSION % 100, SPDLOG_VER_MAJOR,
                        SPDLOG_VER_MINOR, SPDLOG_VER_PATCH, NLOHMANN_JSON_VERSION_MAJOR,
                        NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH);
}

std::string toolchain_versions() {
#if defined(__clang__)
    const std::string compiler =
        base::format("clang++ {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
    const std::string compiler =
        base::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
    return base::format("{}, glibc {}", compiler, gnu_get_libc_version());
}

}  // namespace ringmaster::master
