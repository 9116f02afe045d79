# What find_package(dropcheck) reads, installed and exported.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/dropcheck)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/dropcheckConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/dropcheckConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(
  ${CMAKE_CURRENT_BINARY_DIR}/dropcheckConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/dropcheckConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/dropcheckConfigVersion.cmake
  DESTINATION ${package_dir})
install(EXPORT dropcheckTargets NAMESPACE dropcheck::
  DESTINATION ${package_dir})
# Apart, because it needs GoogleTest and is only for who asks for it.
install(EXPORT dropcheckGtestTargets NAMESPACE dropcheck::
  DESTINATION ${package_dir})
