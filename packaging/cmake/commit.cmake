# SPDX-License-Identifier: Apache-2.0
# Writes SOURCE, which defines build_commit() as the commit of SOURCE_DIR, or the text RM_COMMIT; untouched when it is the same.
set(commit "${RM_COMMIT}")
if(NOT commit)
    execute_process(COMMAND git rev-parse --verify HEAD WORKING_DIRECTORY "${SOURCE_DIR}"
                    OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE
                    RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        set(commit unknown)
    endif()
endif()
file(CONFIGURE OUTPUT "${SOURCE}" @ONLY CONTENT
"// SPDX-License-Identifier: Apache-2.0
#include \"master/build_info.h\"

namespace ringmaster::master {

const char* build_commit() noexcept {
    return \"@commit@\";
}

}  // namespace ringmaster::master
")
