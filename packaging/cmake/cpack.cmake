# SPDX-License-Identifier: Apache-2.0
# One description of both packages in both formats. What depends on the format stands in
# cpack_format.cmake, which CPack reads once it knows which one it makes.
set(CPACK_PACKAGE_NAME ringmaster)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_PACKAGE_VENDOR "ringmaster maintainers")
set(CPACK_PACKAGE_CONTACT "ringmaster maintainers <maintainers@ringmaster.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY "${CMAKE_BINARY_DIR}/packages")
set(CPACK_PROJECT_CONFIG_FILE "${CMAKE_CURRENT_LIST_DIR}/cpack_format.cmake")
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/cpack_finish.cmake")
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_RPM_COMPONENT_INSTALL ON)

set(summary "sharding proxy for memcached and Redis")
set(description
"Clients talk to one port; ringmaster sends each key to the server it belongs
to and gives the replies back in order. One master and any number of workers
share each port, with one configuration, one stats document and one log. It
takes over from nutcracker (twemproxy): the same command line, the same YAML,
the same place for every key.")
set(nutcracker_summary "ringmaster in the place of nutcracker (twemproxy)")
set(nutcracker_description
"The command nutcracker and its manual page lead to ringmaster, and the service
ringmaster serves /etc/nutcracker/nutcracker.yml. A Debian nutcracker is
replaced; its configuration file stays as it is.")

# --- deb
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(deb "${files}/deb")
set(CPACK_DEBIAN_RINGMASTER_PACKAGE_NAME ringmaster)
set(CPACK_DEBIAN_RINGMASTER_DESCRIPTION "${summary}\n${description}")
set(CPACK_DEBIAN_RINGMASTER_PACKAGE_SHLIBDEPS ON)
# useradd and setpriv: this has to install where there is no systemd either.
set(CPACK_DEBIAN_RINGMASTER_PACKAGE_DEPENDS "init-system-helpers (>= 1.54~), passwd")
set(CPACK_DEBIAN_RINGMASTER_PACKAGE_RECOMMENDS logrotate)
set(CPACK_DEBIAN_RINGMASTER_PACKAGE_CONTROL_EXTRA
    "${deb}/ringmaster/postinst;${deb}/ringmaster/prerm;${deb}/ringmaster/postrm;${made}/conffiles")
file(CONFIGURE OUTPUT "${made}/conffiles" CONTENT
"/etc/default/ringmaster
/etc/logrotate.d/ringmaster
/etc/ringmaster/ringmaster.yml
")

set(CPACK_DEBIAN_NUTCRACKER_PACKAGE_NAME ringmaster-nutcracker)
set(CPACK_DEBIAN_NUTCRACKER_DESCRIPTION "${nutcracker_summary}\n${nutcracker_description}")
set(CPACK_DEBIAN_NUTCRACKER_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_NUTCRACKER_PACKAGE_DEPENDS "ringmaster (>= ${PROJECT_VERSION}), init-system-helpers (>= 1.54~)")
set(CPACK_DEBIAN_NUTCRACKER_PACKAGE_CONFLICTS nutcracker)
set(CPACK_DEBIAN_NUTCRACKER_PACKAGE_REPLACES nutcracker)
set(CPACK_DEBIAN_NUTCRACKER_PACKAGE_PROVIDES nutcracker)
set(CPACK_DEBIAN_NUTCRACKER_PACKAGE_CONTROL_EXTRA
    "${deb}/ringmaster-nutcracker/postinst;${deb}/ringmaster-nutcracker/postrm")

# --- rpm
set(CPACK_RPM_PACKAGE_RELEASE 1)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_PACKAGE_GROUP "System Environment/Daemons")
set(CPACK_RPM_PACKAGE_AUTOREQ ON)
set(CPACK_RPM_PACKAGE_AUTOPROV ON)
set(CPACK_RPM_COMPRESSION_TYPE xz)
set(CPACK_RPM_INSTALL_WITH_EXEC ON)
set(CPACK_RPM_MAIN_COMPONENT ringmaster)
set(CPACK_RPM_PACKAGE_RELOCATABLE OFF)
set(CPACK_RPM_CHANGELOG_FILE "${made}/changelog.rpm")
# Folders that belong to the system.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
    /etc/logrotate.d /etc/sysconfig /usr/sbin /usr/lib/systemd /usr/lib/systemd/system
    /usr/lib/sysusers.d /usr/lib/tmpfiles.d /usr/share/bash-completion
    /usr/share/bash-completion/completions /usr/share/fish /usr/share/fish/vendor_completions.d
    /usr/share/licenses /usr/share/man /usr/share/man/man5 /usr/share/man/man8 /usr/share/zsh
    /usr/share/zsh/site-functions /var /var/log)
set(rpm "${files}/rpm")
set(CPACK_RPM_RINGMASTER_PACKAGE_NAME ringmaster)
set(CPACK_RPM_RINGMASTER_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_RINGMASTER_PACKAGE_SUMMARY "Sharding proxy for memcached and Redis")
set(CPACK_RPM_RINGMASTER_PACKAGE_DESCRIPTION "${description}")
set(CPACK_RPM_RINGMASTER_PACKAGE_REQUIRES logrotate)
set(CPACK_RPM_RINGMASTER_PACKAGE_REQUIRES_PRE "/usr/sbin/useradd, /usr/sbin/groupadd")
set(CPACK_RPM_RINGMASTER_PRE_INSTALL_SCRIPT_FILE "${rpm}/ringmaster/pre.sh")
set(CPACK_RPM_RINGMASTER_POST_INSTALL_SCRIPT_FILE "${rpm}/ringmaster/post.sh")
set(CPACK_RPM_RINGMASTER_PRE_UNINSTALL_SCRIPT_FILE "${rpm}/ringmaster/preun.sh")
set(CPACK_RPM_RINGMASTER_POST_UNINSTALL_SCRIPT_FILE "${rpm}/ringmaster/postun.sh")
set(CPACK_RPM_RINGMASTER_USER_FILELIST
    "%dir /etc/ringmaster"
    "%config(noreplace) %attr(0640,root,ringmaster) /etc/ringmaster/ringmaster.yml"
    "%config(noreplace) /etc/sysconfig/ringmaster"
    "%config(noreplace) /etc/logrotate.d/ringmaster"
    "%dir %attr(2750,ringmaster,adm) /var/log/ringmaster"
    "%license /usr/share/licenses/ringmaster/LICENSE")

set(CPACK_RPM_NUTCRACKER_PACKAGE_NAME ringmaster-nutcracker)
set(CPACK_RPM_NUTCRACKER_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_NUTCRACKER_PACKAGE_SUMMARY "Ringmaster in the place of nutcracker (twemproxy)")
set(CPACK_RPM_NUTCRACKER_PACKAGE_DESCRIPTION "${nutcracker_description}")
set(CPACK_RPM_NUTCRACKER_PACKAGE_ARCHITECTURE noarch)
set(CPACK_RPM_NUTCRACKER_PACKAGE_REQUIRES "ringmaster >= ${PROJECT_VERSION}, util-linux")
set(CPACK_RPM_NUTCRACKER_PACKAGE_PROVIDES nutcracker)
set(CPACK_RPM_NUTCRACKER_PACKAGE_CONFLICTS "nutcracker, twemproxy")
set(CPACK_RPM_NUTCRACKER_POST_INSTALL_SCRIPT_FILE "${rpm}/ringmaster-nutcracker/post.sh")
set(CPACK_RPM_NUTCRACKER_POST_UNINSTALL_SCRIPT_FILE "${rpm}/ringmaster-nutcracker/postun.sh")
set(CPACK_RPM_NUTCRACKER_USER_FILELIST
    "%dir /etc/nutcracker"
    "%license /usr/share/licenses/ringmaster-nutcracker/LICENSE")

# What would make two builds of one commit differ: times, the builder's name, links by build id.
set(CPACK_RPM_SPEC_MORE_DEFINE
"%define packager ${CPACK_PACKAGE_CONTACT}
%define _build_id_links none
%define _buildhost localhost
%define use_source_date_epoch_as_buildtime 1
%define clamp_mtime_to_source_date_epoch 1
%define __os_install_post %{nil}")

include(CPack)
cpack_add_component(ringmaster GROUP ringmaster)
cpack_add_component(system GROUP ringmaster)
cpack_add_component(deb GROUP ringmaster)
cpack_add_component(rpm GROUP ringmaster)
cpack_add_component(nutcracker GROUP nutcracker)
cpack_add_component(nutcracker_deb GROUP nutcracker)
cpack_add_component(nutcracker_rpm GROUP nutcracker)
