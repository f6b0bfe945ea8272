# SPDX-License-Identifier: Apache-2.0
# cmake --install BUILD [--prefix /usr]: binary, commented configuration, systemd unit, system user, documents.
# The prefix may change at install time, so the unit gets its paths only then.
install(TARGETS causeway RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(FILES config/causeway.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/causeway)
install(FILES config/causeway.sysusers DESTINATION lib/sysusers.d RENAME causeway.conf)

install(CODE "set(causeway_config \"${PROJECT_SOURCE_DIR}/config\")
set(bindir \"${CMAKE_INSTALL_BINDIR}\")
set(sysconfdir \"${CMAKE_INSTALL_SYSCONFDIR}\")
set(unit \"${PROJECT_BINARY_DIR}/causeway.service\")")
install(CODE [[
  cmake_path(ABSOLUTE_PATH bindir BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}")
  # The Filesystem Hierarchy Standard has the configuration of /usr in /etc.
  if(CMAKE_INSTALL_PREFIX MATCHES "^/usr/?$" AND sysconfdir STREQUAL "etc")
    set(sysconfdir /etc)
  endif()
  cmake_path(ABSOLUTE_PATH sysconfdir BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}")

  if(EXISTS "$ENV{DESTDIR}${sysconfdir}/causeway/causeway.json")
    message(STATUS "Kept: $ENV{DESTDIR}${sysconfdir}/causeway/causeway.json")
  else()
    file(INSTALL "${causeway_config}/causeway.json" DESTINATION "${sysconfdir}/causeway")
  endif()

  file(READ "${causeway_config}/causeway.service" text)
  string(REPLACE "/usr/bin/causeway" "${bindir}/causeway" text "${text}")
  string(REPLACE "/etc/causeway/" "${sysconfdir}/causeway/" text "${text}")
  file(WRITE "${unit}" "${text}")
  file(INSTALL "${unit}" DESTINATION "${CMAKE_INSTALL_PREFIX}/lib/systemd/system")
]])
