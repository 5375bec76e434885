# xgen_module(NAME SOURCES ... HEADERS ... [PUBLIC ...] [PRIVATE ...])
#
# A library of one folder: target xgen_NAME, alias xgen::NAME. Includes are written from the root of
# the repository ("prune/pattern_prune.h"), and installed below include/xgen.
function(xgen_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;PUBLIC;PRIVATE")
  add_library(xgen_${name} STATIC ${arg_SOURCES})
  add_library(xgen::${name} ALIAS xgen_${name})
  target_sources(xgen_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${arg_HEADERS})
  target_compile_features(xgen_${name} PUBLIC cxx_std_20)
  target_link_libraries(xgen_${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} $<BUILD_INTERFACE:xgen_warnings>)
  set_target_properties(xgen_${name} PROPERTIES
    EXPORT_NAME ${name}
    POSITION_INDEPENDENT_CODE ON)
  install(TARGETS xgen_${name} EXPORT xgenTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/xgen)
endfunction()

# xgen_test(NAME SOURCES ... LINK ...): one executable per module; `ctest -L NAME` runs it.
function(xgen_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  add_executable(${name}_test ${arg_SOURCES})
  target_link_libraries(${name}_test PRIVATE ${arg_LINK} xgen_warnings GTest::gmock GTest::gtest_main ${CMAKE_DL_LIBS})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${name}_test PRIVATE XGEN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  gtest_discover_tests(${name}_test NO_PRETTY_VALUES TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${name})
endfunction()
