# xgen_embed(TARGET FILES ... [LATENCY_TABLES ...]): makes xgen_embedded_files.inc, one {name, text} a file, for
# TARGET's sources. Of latency tables the fits alone are embedded, as NAME.fits: predictions need no samples, and those
# take megabytes.
function(xgen_embed target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "FILES;LATENCY_TABLES")
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded/xgen_embedded_files.inc)
  list(TRANSFORM arg_FILES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(TRANSFORM arg_LATENCY_TABLES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} "-DFILES=${arg_FILES}" "-DLATENCY_TABLES=${arg_LATENCY_TABLES}" -DOUTPUT=${output}
      -P ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${arg_FILES} ${arg_LATENCY_TABLES} ${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/embedded)
endfunction()
