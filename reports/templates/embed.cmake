# Writes OUTPUT, a C++ file with the text of every file in FILES.
# Run as: cmake -DOUTPUT=... -DFILES=a;b -P embed.cmake
set(code "#include \"templates.hpp\"\n\nnamespace dropcheck::reports::templates {\n")
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME_WE)
  file(READ "${file}" text)
  string(APPEND code
    "const char* const k_${name} = R\"embedded(${text})embedded\";\n")
endforeach()
string(APPEND code "}  // namespace dropcheck::reports::templates\n")
file(WRITE "${OUTPUT}" "${code}")
