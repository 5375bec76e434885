#pragma once

#include <string>

#include "codegen/program.h"

namespace xgen::bundle {

/// A float as C that reads back to the same bits: "0.5f", "-INFINITY".
std::string c_float(float value);
/// A C string literal with its quotes.
std::string c_string(const std::string& text);
/// `static const xgen_conv step_3 = {...};` for the arguments of a step.
std::string c_arguments(const StepArgs& args, const std::string& name);
std::string c_list(const xgen_list& list);
std::string c_channel_map(const xgen_channel_map& map);
/// The C type of the arguments: "xgen_conv".
std::string c_type(const StepArgs& args);
/// A name that C accepts: other characters become '_'.
std::string c_identifier(const std::string& text);

}  // namespace xgen::bundle
