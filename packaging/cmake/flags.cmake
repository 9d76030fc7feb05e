# SPDX-License-Identifier: Apache-2.0
# rm_flags carries every compiler and linker flag; nothing sets global ones.
add_library(rm_flags INTERFACE)
target_include_directories(rm_flags INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_definitions(rm_flags INTERFACE RM_VERSION="${PROJECT_VERSION}")
target_compile_options(rm_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wswitch-enum
    -Wold-style-cast -Wimplicit-fallthrough -Wnon-virtual-dtor -Wformat=2)
if(RM_WERROR)
    target_compile_options(rm_flags INTERFACE -Werror)
endif()

if(RM_SANITIZE)
    target_compile_options(rm_flags INTERFACE "-fsanitize=${RM_SANITIZE}" -fno-sanitize-recover=all)
    target_link_options(rm_flags INTERFACE "-fsanitize=${RM_SANITIZE}")
    target_compile_definitions(rm_flags INTERFACE RM_EXPENSIVE_CHECKS=1 _GLIBCXX_ASSERTIONS)
    # g++ 12 with sanitizers sees uninitialised members inside libstdc++'s std::function.
    target_compile_options(rm_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    target_compile_options(rm_flags INTERFACE -fno-omit-frame-pointer)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
    # Hardening. _FORTIFY_SOURCE needs optimisation and does not go with sanitizers.
    target_compile_options(rm_flags INTERFACE
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fcf-protection -fPIE)
    target_link_options(rm_flags INTERFACE -pie -Wl,-z,relro,-z,now)
    # The same bytes wherever the tree lies, and whether a compiler cache makes its paths relative.
    file(RELATIVE_PATH source_from_build "${CMAKE_BINARY_DIR}" "${CMAKE_SOURCE_DIR}/.")
    string(REGEX REPLACE "/$" "" source_from_build "${source_from_build}")
    target_compile_options(rm_flags INTERFACE
        "-ffile-prefix-map=${CMAKE_BINARY_DIR}=build" "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=."
        "-ffile-prefix-map=${source_from_build}=.")
else()
    target_compile_options(rm_flags INTERFACE -fno-omit-frame-pointer)
    target_compile_definitions(rm_flags INTERFACE RM_EXPENSIVE_CHECKS=1)
endif()

# A package must not need the C++ library of the machine it was built on. What stays dynamic (libc,
# libuv, libyaml) has the same names everywhere, and gets its security fixes from the system.
# No build id: it is a sum over the debug information as well, which the packages do not have and
# where link-time optimisation writes down from where the tree was built.
if(RM_STATIC)
    target_link_options(rm_flags INTERFACE -static-libstdc++ -static-libgcc -Wl,--build-id=none)
endif()

if(RM_FUZZ)
    target_compile_options(rm_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(RM_LTO)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

# packaging/pgo: first a program that counts which way it goes, then one that is laid out for that.
# Both from the same build folder, as the counts are found by the objects' paths.
set(rm_profiles "${CMAKE_BINARY_DIR}/profiles")
if(RM_PGO STREQUAL "generate")
    target_compile_options(rm_flags INTERFACE
        -fprofile-generate -fprofile-update=prefer-atomic "-fprofile-dir=${rm_profiles}")
    target_link_options(rm_flags INTERFACE -fprofile-generate)
elseif(RM_PGO STREQUAL "use")
    # What the training never ran has no counts, and is made small.
    target_compile_options(rm_flags INTERFACE
        -fprofile-use -fprofile-correction "-fprofile-dir=${rm_profiles}" -Wno-missing-profile)
elseif(RM_PGO)
    message(FATAL_ERROR "RM_PGO is generate or use, not '${RM_PGO}'")
endif()

# The pure folders are built without exceptions: the compiler then enforces the error rules.
add_library(rm_pure_flags INTERFACE)
target_link_libraries(rm_pure_flags INTERFACE rm_flags)
target_compile_options(rm_pure_flags INTERFACE -fno-exceptions)
