# One library per folder. A folder's headers are reachable only through its own link below
# build/visible/<folder>/, so that `#include "sim/..."` in policies/ does not compile:
# the include path of a target holds its own folder and those it links, nothing else.

function(dspark_library folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  set(visible ${CMAKE_BINARY_DIR}/visible/${folder})
  file(MAKE_DIRECTORY ${visible})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${folder} ${visible}/${folder} SYMBOLIC)
  if(ARG_SOURCES)
    add_library(dspark_${folder} STATIC ${ARG_SOURCES})
    target_include_directories(dspark_${folder} PUBLIC ${visible})
    target_link_libraries(dspark_${folder} PUBLIC ${ARG_LINKS} PRIVATE dspark_flags ${ARG_PRIVATE_LINKS})
  else()
    add_library(dspark_${folder} INTERFACE)
    target_include_directories(dspark_${folder} INTERFACE ${visible})
    target_link_libraries(dspark_${folder} INTERFACE ${ARG_LINKS})
  endif()
  add_library(dspark::${folder} ALIAS dspark_${folder})
endfunction()

# Reads the names of a registry file (lines `MACRO(name, Class, "meaning")`) into `out`.
function(dspark_registry_names file macro out)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} lines REGEX "^${macro}\\(")
  set(names "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^${macro}\\(([a-z0-9_]+),.*" "\\1" name "${line}")
    list(APPEND names ${name})
  endforeach()
  set(${out} ${names} PARENT_SCOPE)
endfunction()
