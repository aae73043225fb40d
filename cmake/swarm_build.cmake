# Build rules shared by every folder.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

option(SWARM_SCRAMBLE_TEXTS "Errors have no readable text: proves that nothing but their codes is read" OFF)
if(SWARM_SCRAMBLE_TEXTS)
  add_compile_definitions(SWARM_SCRAMBLE_TEXTS)
endif()

# Sources of a target are compiled several at a time: most of a small file's time goes to the headers and templates that
# its neighbors use as well. One name must mean one thing in such a unit, also in unnamed namespaces.
option(CMAKE_UNITY_BUILD "Compile several sources at a time; off where each file's own includes are checked" ON)
set(CMAKE_UNITY_BUILD_BATCH_SIZE 10 CACHE STRING "How many")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers)
if(CMAKE_UNITY_BUILD)
  add_compile_options(-Wno-shadow) # what a unit's other sources declare is no fault of this one
endif()
option(SWARM_WERROR "Treat warnings as errors" ON)
if(SWARM_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-fpch-preprocess) # lets ccache see through precompiled headers
  if(CMAKE_UNITY_BUILD)
    add_compile_options(-Wno-subobject-linkage) # it takes the sources of a unit for headers
  endif()
  # These look through inlined library code after optimisation, and since version 13 they are wrong about std::vector
  # and std::variant.
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    add_compile_options(-Wno-error=stringop-overflow -Wno-error=array-bounds -Wno-error=maybe-uninitialized)
  else()
    add_compile_options(-Wno-stringop-overflow -Wno-array-bounds -Wno-maybe-uninitialized)
  endif()
  add_compile_options(-Wno-restrict)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp") # the same for ccache
  # libstdc++'s own stable_sort uses what it has deprecated, which Clang says of our calls.
  add_compile_options(-Wno-error=deprecated-declarations)
endif()

set(SWARM_SANITIZE "" CACHE STRING "address,undefined with or without fuzzer-no-link, or thread")
if(SWARM_SANITIZE)
  add_compile_options(-fsanitize=${SWARM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SWARM_SANITIZE})
  if(SWARM_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan) # Asio has fences, of which the sanitizer knows nothing
  endif()
endif()

# swarm_library(<name> SOURCES a.cpp ... LINK lib ...): a layer's static library, included as "folder/file.hpp".
function(swarm_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

# swarm_compile_small(<library> ...): in a release they are compiled to be small. By -O3 they would be nearly twice as large and no
# user would see it.
function(swarm_compile_small)
  foreach(name IN LISTS ARGN)
    # Whoever takes over its precompiled headers must have the same macros, also when compiled by -O1.
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-Os;-U__OPTIMIZE_SIZE__;-ffunction-sections;-fdata-sections>)
  endforeach()
endfunction()

# swarm_link_small(<program> ...): without what it does not use, and with packed relocations, which take glibc 2.36. GNU ld says so
# in the program; mold 1.10 does not, and then glibc refuses it.
function(swarm_link_small)
  if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    foreach(name IN LISTS ARGN)
      target_link_options(${name} PRIVATE -fuse-ld=bfd -Wl,--gc-sections -Wl,-z,pack-relative-relocs)
    endforeach()
  endif()
endfunction()

# swarm_apart(<source> ...): compiled alone, as their names mean something else in their neighbors. An actor's source is
# such a one, each has its own `self_pointer`.
function(swarm_apart)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# swarm_test(<name> SOURCES x.test.cpp ... LINK lib ...): one doctest program, run by ctest. Each test file has a
# namespace of its own, so that many can have a `world`.
function(swarm_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  if(NOT TARGET swarm_doctest_main)
    add_library(swarm_doctest_main OBJECT ${CMAKE_SOURCE_DIR}/tests/doctest_main.cpp)
    target_link_libraries(swarm_doctest_main PUBLIC doctest::doctest PRIVATE swarm_base)
    target_compile_definitions(swarm_doctest_main PUBLIC DOCTEST_CONFIG_SUPER_FAST_ASSERTS)
    target_compile_options(swarm_doctest_main PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} swarm_doctest_main)
  # Compiled in two thirds of the time. The price: an exception in an assertion is seen at the end of its test case.
  target_compile_definitions(${name} PRIVATE SWARM_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 900 LABELS unit) # bounds a hang, also where all is slow
endfunction()
