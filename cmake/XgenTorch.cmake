# Defines xgen::torch, LibTorch as one imported target, and xgen_torch_room(TARGET).
#
# Looked for in this order: XGEN_TORCH_ROOT, CMAKE_PREFIX_PATH, Debian's libtorch-dev in /usr, the PyPI
# wheel in .venv. Torch's own CMake package is not used: the wheel's asks for a CUDA toolkit that
# compiling against it does not need, Debian's for packages that the libraries do not need either.
set(XGEN_TORCH_ROOT "" CACHE PATH "Folder of LibTorch: holds include/torch and lib/libtorch_cpu.so")

function(_xgen_find_torch)
  set(roots ${XGEN_TORCH_ROOT})
  foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
    # Also where a person names the folder of the CMake package, as `torch.utils.cmake_prefix_path` does.
    list(APPEND roots ${prefix} ${prefix}/../.. ${prefix}/../../..)
  endforeach()
  file(GLOB wheels ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../.venv/lib/python3*/site-packages/torch)
  list(APPEND roots /usr ${wheels})
  foreach(root IN LISTS roots)
    cmake_path(ABSOLUTE_PATH root NORMALIZE)
    set(api ${root}/include/torch/csrc/api/include)
    if(NOT EXISTS ${api}/torch/types.h)
      continue()
    endif()
    unset(XGEN_TORCH_CPU_LIBRARY CACHE)
    find_library(XGEN_TORCH_CPU_LIBRARY torch_cpu PATHS ${root}/lib ${root}/lib/${CMAKE_LIBRARY_ARCHITECTURE} NO_DEFAULT_PATH)
    if(NOT XGEN_TORCH_CPU_LIBRARY)
      continue()
    endif()
    mark_as_advanced(XGEN_TORCH_CPU_LIBRARY)
    cmake_path(GET XGEN_TORCH_CPU_LIBRARY PARENT_PATH folder)
    set(version "of unknown version")
    # The numbers moved from the first header to the second.
    foreach(header ${api}/torch/version.h ${root}/include/torch/headeronly/version.h)
      if(EXISTS ${header})
        file(STRINGS ${header} lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
        if(lines)
          string(REGEX REPLACE "[^0-9;]" "" version "${lines}")
          string(REPLACE ";" "." version "${version}")
        endif()
      endif()
    endforeach()

    add_library(xgen::torch INTERFACE IMPORTED GLOBAL)
    target_include_directories(xgen::torch INTERFACE ${root}/include ${api})
    target_compile_features(xgen::torch INTERFACE cxx_std_20)
    # Nothing names a symbol of libtorch or libtorch_cuda: their operators register themselves when loaded.
    set(libraries ${folder}/libtorch.so ${folder}/libtorch_cpu.so)
    set(device "CPU")
    if(EXISTS ${folder}/libtorch_cuda.so)
      list(APPEND libraries ${folder}/libtorch_cuda.so)
      set(device "CPU and CUDA")
      # libtorch_cuda's own CUDA libraries come with the wheel and are found when the program is loaded.
      target_link_options(xgen::torch INTERFACE -Wl,--unresolved-symbols=ignore-in-shared-libs)
    endif()
    # The wheel's libtorch exports parts of an older C++ library, whose std::filesystem::remove_all jumps
    # to null in a program that is built by a newer compiler; the system's library has to be asked first.
    target_link_libraries(xgen::torch INTERFACE
      -Wl,--push-state,--no-as-needed -lstdc++ ${libraries} ${folder}/libc10.so -Wl,--pop-state)
    if(NOT root STREQUAL "/usr")
      target_link_options(xgen::torch INTERFACE "LINKER:-rpath,${folder}")
    endif()
    message(STATUS "LibTorch ${version} (${device}): ${root}")
    # Its folder holds headers of protobuf and fmt as well, which nothing else may find.
    set(others "")
    foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
      cmake_path(ABSOLUTE_PATH prefix NORMALIZE OUTPUT_VARIABLE whole)
      cmake_path(IS_PREFIX root "${whole}" is_of_torch)
      if(NOT is_of_torch)
        list(APPEND others ${prefix})
      endif()
    endforeach()
    set(CMAKE_PREFIX_PATH "${others}" PARENT_SCOPE)
    return()
  endforeach()
  message(FATAL_ERROR
    "LibTorch was not found. One of:\n"
    "  apt-get install libtorch-dev libopenblas0-pthread   (Debian)\n"
    "  python3 -m venv .venv && .venv/bin/pip install torch\n"
    "  -DCMAKE_PREFIX_PATH=/path/to/libtorch\n"
    "or configure with the preset compiler-only, which builds what needs no LibTorch.")
endfunction()

if(NOT TARGET xgen::torch)
  _xgen_find_torch()
endif()

# xgen_torch_room(TARGET [BATCH N]): a target whose files include Torch. They are compiled as unity
# batches with one precompiled header shared by all rooms: <torch/...> costs 12 to 60 s a file
# without it.
function(xgen_torch_room target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "BATCH" "")
  if(NOT arg_BATCH)
    set(arg_BATCH 6)
  endif()
  if(NOT TARGET xgen_torch_pch)
    set(source ${PROJECT_BINARY_DIR}/xgen_torch_pch.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "// Compiled only to make the precompiled header of the Torch rooms.\n")
    add_library(xgen_torch_pch OBJECT ${source})
    target_link_libraries(xgen_torch_pch PRIVATE xgen::torch xgen_warnings)
    target_include_directories(xgen_torch_pch PRIVATE ${PROJECT_SOURCE_DIR})
    set_target_properties(xgen_torch_pch PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_precompile_headers(xgen_torch_pch PRIVATE
      <algorithm> <cmath> <cstdint> <filesystem> <functional> <map> <memory> <optional> <set> <string>
      <utility> <variant> <vector> <torch/types.h> <torch/csrc/autograd/custom_function.h>
      <torch/optim/adamw.h> <torch/optim/sgd.h>)
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${arg_BATCH})
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")
    # GCC refuses a precompiled header made with -fPIC where -fPIE, CMake's flag for programs, is given.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  else()
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  endif()
  target_link_libraries(${target} PRIVATE xgen::torch)
  target_precompile_headers(${target} REUSE_FROM xgen_torch_pch)
endfunction()
