# SPDX-License-Identifier: Apache-2.0
# Read by CPack for each format.
if(CPACK_GENERATOR STREQUAL "DEB")
    set(CPACK_COMPONENTS_ALL ringmaster system deb nutcracker nutcracker_deb)
elseif(CPACK_GENERATOR STREQUAL "RPM")
    set(CPACK_COMPONENTS_ALL ringmaster system rpm nutcracker nutcracker_rpm)
endif()
