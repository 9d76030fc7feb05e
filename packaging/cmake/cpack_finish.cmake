# SPDX-License-Identifier: Apache-2.0
# Run by CPack between installing into its folder and packing that folder. What is packed has to be
# compressed as both formats want it, and must not tell when it was made.
file(GLOB roots LIST_DIRECTORIES true "${CPACK_TEMPORARY_DIRECTORY}/*")
foreach(root IN LISTS roots)
    # Fedora's zsh looks elsewhere than Debian's.
    if(CPACK_GENERATOR STREQUAL "RPM" AND EXISTS "${root}/usr/share/zsh/vendor-completions")
        file(RENAME "${root}/usr/share/zsh/vendor-completions" "${root}/usr/share/zsh/site-functions")
    endif()
    file(GLOB_RECURSE texts "${root}/usr/share/man/*" "${root}/usr/share/doc/*/changelog.Debian")
    foreach(text IN LISTS texts)
        if(NOT text MATCHES "\\.gz$" AND NOT IS_SYMLINK "${text}")
            execute_process(COMMAND gzip -9n "${text}" COMMAND_ERROR_IS_FATAL ANY)
        endif()
    endforeach()
    execute_process(COMMAND find "${root}" -exec touch --no-dereference
                            "--date=@$ENV{SOURCE_DATE_EPOCH}" {} +
                    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
