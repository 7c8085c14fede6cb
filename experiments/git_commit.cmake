# Writes OUT, a header with the commit of SOURCE, where it changed. Without git or a repository: "unknown".
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=40 --match=
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed OR commit STREQUAL "")
  set(commit unknown)
endif()
set(text "#pragma once\n\ninline constexpr const char* kDsparkGitCommit = \"${commit}\";\n")
set(before "")
if(EXISTS ${OUT})
  file(READ ${OUT} before)
endif()
if(NOT text STREQUAL before)
  file(WRITE ${OUT} "${text}")
endif()
