# SPDX-License-Identifier: Apache-2.0
# Outside libraries, as Debian ships them. README.md says why each is here.
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(LIBYAML REQUIRED IMPORTED_TARGET yaml-0.1)
find_package(CLI11 CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
if(RM_TESTS)
    find_package(doctest CONFIG REQUIRED)
    include(doctest)
endif()
