# cmake -DUI=... -DOUT=FILE.cpp -DNO_PAGE=FILE.html [-DNODE=...] -P embed.cmake: makes a source of the built page. With
# Node.js and the packages of ui/ the page is built first; without them what lies in ui/dist is taken, as in releases.
cmake_policy(SET CMP0057 NEW)
if(NODE AND EXISTS ${UI}/node_modules/esbuild)
  execute_process(COMMAND ${NODE} build.mjs WORKING_DIRECTORY ${UI} RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "ui/build.mjs failed: the page is not built")
  endif()
endif()

file(GLOB files ${UI}/dist/*)
set(types html "text/html\; charset=utf-8" js "text/javascript\; charset=utf-8" css "text/css\; charset=utf-8"
  svg "image/svg+xml" png "image/png" json "application/json" txt "text/plain\; charset=utf-8")
if(NOT ${UI}/dist/index.html IN_LIST files)
  message(STATUS "this build has no page: ui/dist is not there, nor what makes it (./run deps build)")
  set(files ${NO_PAGE})
endif()
find_program(GZIP gzip REQUIRED)

set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  string(REGEX REPLACE "^.*\\." "" extension ${name})
  list(FIND types ${extension} at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${file}: what is it? embed.cmake knows no content type for .${extension}")
  endif()
  math(EXPR at "${at} + 1")
  list(GET types ${at} type)
  set(for_ever false)
  if(name MATCHES "\\.[0-9A-Za-z][0-9A-Za-z][0-9A-Za-z][0-9A-Za-z][0-9A-Za-z][0-9A-Za-z][0-9A-Za-z][0-9A-Za-z]+\\.")
    set(for_ever true)
  endif()
  set(path "/${name}")
  if(name STREQUAL "index.html" OR file STREQUAL NO_PAGE)
    set(path "/")
  endif()
  execute_process(COMMAND ${GZIP} -9 -n -c ${file} OUTPUT_FILE ${OUT}.gz COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${OUT}.gz hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes ${hex})
  string(APPEND arrays "constexpr std::uint8_t file_${number}[] = {${bytes}};\n")
  string(APPEND rows "    {\"${path}\", \"${type}\", file_${number}, ${for_ever}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(REMOVE ${OUT}.gz)
file(WRITE ${OUT} "// Made by actors/ui/page/embed.cmake.
#include \"actors/ui/page/page_files.hpp\"

namespace swarm::ui {

namespace {
${arrays}
const page_file files[] = {
${rows}};
} // namespace

std::span<const page_file> page_files() {
  return files;
}

} // namespace swarm::ui
")
