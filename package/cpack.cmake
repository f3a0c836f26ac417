# The settings of cpack; included at the end of the tree's CMakeLists.txt, for cpack sees only what
# was installed before.

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME folkmoot)
set(CPACK_PACKAGE_VENDOR "Folkmoot")
set(CPACK_PACKAGE_CONTACT "Folkmoot maintainers <maintainers@folkmoot.invalid>")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_COMPONENTS_ALL hub command lib dev)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(scripts "${PROJECT_SOURCE_DIR}/package")
set(CPACK_DEBIAN_HUB_PACKAGE_NAME folkmoot-hub)
set(CPACK_DEBIAN_HUB_PACKAGE_SECTION net)
set(CPACK_DEBIAN_HUB_DESCRIPTION "hub that keeps what communities say they need
Volunteers gather on their devices, with or without a signal, what a
community says it needs. The hub keeps the changes of one or more communities
and exchanges them with their devices over TLS.

This package has the daemon folkmootd, the administrator's tool folkmootctl
and systemd units with socket activation.")
set(CPACK_DEBIAN_HUB_PACKAGE_DEPENDS
    "init-system-helpers (>= 1.54~), systemd | systemd-standalone-sysusers | systemd-sysusers, systemd | systemd-standalone-tmpfiles | systemd-tmpfiles")
set(CPACK_DEBIAN_HUB_PACKAGE_CONTROL_EXTRA
    "${scripts}/conffiles;${scripts}/postinst;${scripts}/prerm;${scripts}/postrm")

set(CPACK_DEBIAN_COMMAND_PACKAGE_NAME folkmoot)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SECTION net)
set(CPACK_DEBIAN_COMMAND_DESCRIPTION "gather what a community says it needs, offline first
With folkmoot a volunteer's laptop is a device of a community: it writes down
who needs what, who voiced it and what stands in the way, with or without a
signal, and syncs with the community's hub when there is one.")

set(CPACK_DEBIAN_LIB_PACKAGE_NAME libfolkmoot0)
set(CPACK_DEBIAN_LIB_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIB_DESCRIPTION "library of Folkmoot's devices
libfolkmoot keeps a device's records, merges what others wrote and says what
to exchange with the hub. It does no network input or output of its own.")
set(CPACK_DEBIAN_LIB_PACKAGE_CONTROL_EXTRA "${scripts}/triggers;${scripts}/shlibs")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libfolkmoot-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEV_DESCRIPTION "library of Folkmoot's devices (development files)
libfolkmoot keeps a device's records, merges what others wrote and says what
to exchange with the hub. It does no network input or output of its own.

This package has its header, the static library, a pkg-config file and the
protocol's .proto files.")
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
    "libc6-dev | libc-dev, libcjson-dev, liblmdb-dev, libssl-dev, libutf8proc-dev, libxxhash-dev, libzstd-dev")

set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)

include(CPack)
cpack_add_component(lib)
cpack_add_component(dev DEPENDS lib)
