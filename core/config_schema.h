#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/config.h"

namespace xgen {

/// Writes the JSON Schema (2020-12) of a config struct, with its defaults, in declared order.
class SchemaWriter {
 public:
  template <Number T>
  void number(const std::string& key, const T& value, Range<std::type_identity_t<T>> range,
              const char* help, Need need = Need::optional) {
    add(key, with_default(number_type(range), value, need), help, need);
  }
  template <Number T>
  void number(const std::string& key, const std::optional<T>& value,
              Range<std::type_identity_t<T>> range, const char* help, Need need = Need::optional) {
    add(key, with_default(number_type(range), value, need), help, need);
  }
  template <class T>
  void boolean(const std::string& key, const T& value, const char* help,
               Need need = Need::optional) {
    add(key, with_default({{"type", "boolean"}}, value, need), help, need);
  }
  template <class T>
  void text(const std::string& key, const T& value, const char* help, Need need = Need::optional) {
    add(key, with_default({{"type", "string"}}, value, need), help, need);
  }
  void choice(const std::string& key, const std::string& value,
              const std::vector<std::string>& allowed, const char* help,
              Need need = Need::optional) {
    add(key, with_default({{"enum", allowed}}, value, need), help, need);
  }
  template <Number T>
  void numbers(const std::string& key, const std::vector<T>& value,
               Range<std::type_identity_t<T>> range, const char* help, Need need = Need::optional) {
    add(key, with_default({{"type", "array"}, {"items", number_type(range)}}, value, need), help,
        need);
  }
  void texts(const std::string& key, const std::vector<std::string>& value, const char* help,
             Need need = Need::optional) {
    add(key, with_default({{"type", "array"}, {"items", {{"type", "string"}}}}, value, need), help,
        need);
  }
  void number_map(const std::string& key, const std::map<std::string, double>& /*value*/,
                  Range<double> range, const char* help, Need need = Need::optional) {
    add(key, {{"type", "object"}, {"additionalProperties", number_type(range)}}, help, need);
  }
  template <class Config>
  void object(const std::string& key, Config& value, const char* help, Need need = Need::optional) {
    add(key, of(value), help, need);
  }
  template <class Config>
  void optional_object(const std::string& key, std::optional<Config>& /*value*/, const char* help,
                       Need need = Need::optional) {
    Config config;
    add(key, of(config), help, need);
  }
  template <class Config>
  void objects(const std::string& key, std::vector<Config>& /*value*/, const char* help,
               Need need = Need::optional) {
    Config config;
    add(key, {{"type", "array"}, {"items", of(config)}}, help, need);
  }
  template <class... Configs>
  void variant(const std::string& key, std::variant<Configs...>& /*value*/, const char* tag,
               const char* help, Need need = Need::optional) {
    add(key, {{"oneOf", nlohmann::ordered_json::array({alternative<Configs>(tag)...})}}, help,
        need);
  }
  template <class... Configs>
  void variants(const std::string& key, std::vector<std::variant<Configs...>>& /*value*/,
                const char* tag, const char* help, Need need = Need::optional) {
    const nlohmann::ordered_json items = {
        {"oneOf", nlohmann::ordered_json::array({alternative<Configs>(tag)...})}};
    add(key, {{"type", "array"}, {"items", items}}, help, need);
  }

  template <class Config>
  static nlohmann::ordered_json of(Config& config) {
    SchemaWriter writer;
    config.describe(writer);
    return writer.finished();
  }
  /// The schema of the fields visited so far.
  nlohmann::ordered_json finished() const;

 private:
  template <Number T>
  static nlohmann::ordered_json number_type(const Range<T>& range) {
    nlohmann::ordered_json type = {{"type", std::is_integral_v<T> ? "integer" : "number"}};
    if (range.has_min()) type["minimum"] = range.min;
    if (range.has_max()) type["maximum"] = range.max;
    return type;
  }
  template <class T>
  static nlohmann::ordered_json with_default(nlohmann::ordered_json type, const T& value,
                                             Need need) {
    if (need == Need::optional) type["default"] = value;
    return type;
  }
  template <class T>
  static nlohmann::ordered_json with_default(nlohmann::ordered_json type,
                                             const std::optional<T>& value, Need need) {
    return value ? with_default(std::move(type), *value, need) : type;
  }
  template <class Config>
  static nlohmann::ordered_json alternative(const char* tag) {
    Config config;
    SchemaWriter writer;
    writer.add(tag, {{"const", Config::kKind}}, "Which form this object has.", Need::required);
    config.describe(writer);
    return writer.finished();
  }
  void add(const std::string& key, nlohmann::ordered_json type, const char* help, Need need);

  nlohmann::ordered_json properties_ = nlohmann::ordered_json::object();
  std::vector<std::string> required_;
};

/// The schema of a whole config.
template <class Config>
nlohmann::ordered_json schema_of(const std::string& title) {
  Config config;
  nlohmann::ordered_json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                                   {"title", title}};
  schema.update(SchemaWriter::of(config));
  schema["properties"]["$schema"] = {{"type", "string"}};
  return schema;
}

/// A reference page from a schema that SchemaWriter made: a section for each object with a table of
/// key, type, default and meaning.
std::string markdown_of(const nlohmann::ordered_json& schema, const std::string& introduction);

}  // namespace xgen
