# mysql::connector: MySQL Connector/C++ 1.1, the one of the classic interface. It comes without a CMake package.

find_path(MYSQL_CONNECTOR_INCLUDE_DIR mysql_connection.h)
find_library(MYSQL_CONNECTOR_LIBRARY mysqlcppconn)
mark_as_advanced(MYSQL_CONNECTOR_INCLUDE_DIR MYSQL_CONNECTOR_LIBRARY)
if(NOT MYSQL_CONNECTOR_INCLUDE_DIR OR NOT MYSQL_CONNECTOR_LIBRARY)
  message(FATAL_ERROR "MySQL Connector/C++ 1.1 not found: install libmysqlcppconn-dev")
endif()

# Global: storage is linked by targets of other folders, which then must know it, too.
add_library(mysql::connector UNKNOWN IMPORTED GLOBAL)
set_target_properties(mysql::connector PROPERTIES
  IMPORTED_LOCATION ${MYSQL_CONNECTOR_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${MYSQL_CONNECTOR_INCLUDE_DIR})
