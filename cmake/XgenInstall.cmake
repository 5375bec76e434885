# What `cmake --install` leaves: libraries, headers, xgen-train and a package that find_package(xgen) reads.
include(CMakePackageConfigHelpers)
install(EXPORT xgenTargets NAMESPACE xgen:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/xgen)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/xgenConfig.cmake.in
  ${PROJECT_BINARY_DIR}/xgenConfig.cmake INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/xgen)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/xgenConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/xgenConfig.cmake ${PROJECT_BINARY_DIR}/xgenConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/xgen)
if(XGEN_WITH_TORCH)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/XgenTorch.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/xgen)
endif()
