# One function per kind of target, so that every module is declared alike.

# dropcheck_library(NAME HEADERS ... SOURCES ... PUBLIC ... PRIVATE ...)
# makes dropcheck_NAME, alias dropcheck::NAME, with its own include root.
function(dropcheck_library name)
  cmake_parse_arguments(arg "" "" "HEADERS;SOURCES;PUBLIC;PRIVATE" ${ARGN})
  set(target dropcheck_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(dropcheck::${name} ALIAS ${target})
  target_compile_features(${target} PUBLIC cxx_std_20)
  # The same log e-value on every machine: no fused multiply-add by stealth.
  target_compile_options(${target} PRIVATE -ffp-contract=off)
  target_sources(${target} PUBLIC FILE_SET HEADERS
    BASE_DIRS include FILES ${arg_HEADERS})
  target_include_directories(${target}
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  target_link_libraries(${target} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name}
    VERIFY_INTERFACE_HEADER_SETS ON)
  install(TARGETS ${target} EXPORT dropcheckTargets FILE_SET HEADERS)
endfunction()

# dropcheck_hot(FILE...): where a run spends its time. In the release preset the
# rest is -O2, which takes 2 MB less of the program into memory.
function(dropcheck_hot)
  set_source_files_properties(${ARGN}
    PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-O3>")
endfunction()

# dropcheck_test(NAME LABEL SOURCES ... LIBRARIES ...)
# registers every GoogleTest of one executable under one ctest label.
function(dropcheck_test name label)
  if(NOT DROPCHECK_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_compile_options(${name} PRIVATE -ffp-contract=off)
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES}
    GTest::gmock GTest::gtest GTest::gtest_main)
  include(GoogleTest)
  gtest_discover_tests(${name} PROPERTIES LABELS ${label}
    DISCOVERY_TIMEOUT 60)
endfunction()

# dropcheck_benchmark(NAME SOURCES ... LIBRARIES ...)
function(dropcheck_benchmark name)
  if(NOT DROPCHECK_BENCHMARKS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES}
    benchmark::benchmark)
endfunction()
