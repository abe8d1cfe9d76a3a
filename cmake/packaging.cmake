# What `cmake --install` puts where, and the Debian package that `cpack -G DEB` makes of it.

include(GNUInstallDirs)

install(TARGETS pubsubsqld RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
# Absolute: that is where a package's configuration and units belong, whatever the prefix. DESTDIR still applies.
install(FILES tools/packaging/pubsubsqld.conf DESTINATION /etc/pubsubsql COMPONENT system EXCLUDE_FROM_ALL)
install(FILES tools/packaging/pubsubsqld.service DESTINATION /lib/systemd/system COMPONENT system EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pubsubsql)
set(CPACK_PACKAGE_CONTACT "PubSubSQL maintainers <maintainers@pubsubsql.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "SQL publish/subscribe server
 Tables are served from memory and kept in an embedded store, in MySQL or MariaDB, or in both;
 clients insert, update, delete and select, and subscribe to a table or to some of its rows, and
 are sent every change at once and in order. With the server come its command line client and
 the C++ client library.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/tools/packaging/postinst
  ${PROJECT_SOURCE_DIR}/tools/packaging/prerm
  ${PROJECT_BINARY_DIR}/conffiles)
file(WRITE ${PROJECT_BINARY_DIR}/conffiles "/etc/pubsubsql/pubsubsqld.conf\n")
include(CPack)
