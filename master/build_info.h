// SPDX-License-Identifier: Apache-2.0
// What this binary is made of: what -V prints below its first two lines.
#pragma once

#include <string>

namespace ringmaster::master {

// The commit it was built from, 40 hex digits; "unknown" without a git checkout. Whoever builds may
// say another text (RM_COMMIT). Its source is written by the build: packaging/cmake/commit.cmake.
const char* build_commit() noexcept;

// "libuv 1.44.2, libyaml 0.2.5, ...": libraries that are loaded tell themselves, for those that are
// compiled in it is the version of the build.
std::string library_versions();

// "g++ 12.2.0, glibc 2.36"; the C library is the one that was loaded.
std::string toolchain_versions();

}  // namespace ringmaster::master
