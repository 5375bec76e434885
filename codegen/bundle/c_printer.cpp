#include "codegen/bundle/c_printer.h"

#include <cctype>
#include <cmath>
#include <cstdio>

#include "codegen/step_fields.h"
#include "core/error.h"

namespace xgen::bundle {

namespace {

// Prints designated initializers; what is zero is left out, as C fills it in.
class Printer {
 public:
  template <class T>
  void value(const char* name, T& field) {
    if (field == T{}) return;
    if constexpr (std::is_same_v<T, float>)
      item(name, c_float(field));
    else
      item(name, str(field));
  }
  template <class T>
  void array(const char* name, T* field, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += str(i == 0 ? "" : ", ", field[i]);
    item(name, "{" + text + "}");
  }
  void constant(const char* name, std::size_t& field) { offset(name, field); }
  void arena(const char* name, std::size_t& field) { offset(name, field); }
  void planes(const char* name, xgen_planes& field) {
    if (field.planes == 0 && field.data == 0) return;
    Printer inner;
    if (field.planes == 0)
      inner.arena("data", field.data);
    else
      visit_fields(inner, field);
    item(name, "{" + inner.text() + "}");
  }
  const std::string& text() const { return text_; }

 private:
  void offset(const char* name, std::size_t field) {
    if (field == XGEN_NONE)
      item(name, "XGEN_NONE");
    else if ((field & XGEN_CONSTANT) != 0)
      item(name, str(field & ~XGEN_CONSTANT, " | XGEN_CONSTANT"));
    else if (field != 0)
      item(name, str(field));
  }
  void item(const char* name, const std::string& value) {
    text_ += str(text_.empty() ? "" : ", ", ".", name, " = ", value);
  }
  std::string text_;
};

template <class T>
std::string initializer(T args) {
  Printer printer;
  visit_fields(printer, args);
  return printer.text().empty() ? "{0}" : "{" + printer.text() + "}";
}

}  // namespace

std::string c_float(float value) {
  if (std::isinf(value)) return value > 0 ? "INFINITY" : "-INFINITY";
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", static_cast<double>(value));
  std::string result = text;
  if (result.find_first_of(".e") == std::string::npos) result += ".0";
  return result + "f";
}

std::string c_string(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n')
      result += "\\n";
    else if (c != '\n')
      result += c;
  }
  return result + "\"";
}

std::string c_type(const StepArgs& args) {
  static const char* const names[] = {
      "xgen_conv",   "xgen_filter_conv", "xgen_pool",      "xgen_global_pool",
      "xgen_binary", "xgen_unary",       "xgen_copy",      "xgen_resize",
      "xgen_pack",   "xgen_move",        "xgen_broadcast", "xgen_map",
      "xgen_axis",   "xgen_matmul",      "xgen_quantize",  "xgen_transfer"};
  static_assert(std::variant_size_v<StepArgs> == sizeof names / sizeof *names);
  return names[args.index()];
}

std::string c_arguments(const StepArgs& args, const std::string& name) {
  const std::string fields = std::visit([](const auto& a) { return initializer(a); }, args);
  return str("static const ", c_type(args), " ", name, " = ", fields, ";");
}

std::string c_list(const xgen_list& list) { return initializer(list); }
std::string c_channel_map(const xgen_channel_map& map) { return initializer(map); }

std::string c_identifier(const std::string& text) {
  std::string result;
  for (const char c : text) result += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  if (result.empty() || std::isdigit(static_cast<unsigned char>(result[0])) != 0)
    result = "m_" + result;
  return result;
}

}  // namespace xgen::bundle
