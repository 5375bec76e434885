#include "core/config_schema.h"

#include <algorithm>

namespace xgen {

namespace {

using Json = nlohmann::ordered_json;

std::string type_text(const Json& type) {
  if (type.contains("const")) return str("`", type["const"].dump(), "`");
  if (type.contains("oneOf")) return "object";
  if (type.contains("enum")) {
    std::string names;
    for (const Json& name : type["enum"]) names += str(names.empty() ? "" : ", ", '`', name, '`');
    return names;
  }
  const auto kind = type.at("type").get<std::string>();
  if (kind == "array") return str("list of ", type_text(type["items"]));
  if (kind == "object" && !type.contains("properties")) {
    return str("object of ", type_text(type["additionalProperties"]));
  }
  if (type.contains("minimum") && type.contains("maximum")) {
    return str(kind, " in [", type["minimum"].dump(), ", ", type["maximum"].dump(), "]");
  }
  if (type.contains("minimum")) return str(kind, " >= ", type["minimum"].dump());
  if (type.contains("maximum")) return str(kind, " <= ", type["maximum"].dump());
  return kind;
}

void write_section(std::string& page, const Json& object, const std::string& path,
                   const std::string& note);

/// The sections of the objects inside one field.
void write_inner(std::string& page, const Json& type, const std::string& path) {
  if (type.contains("oneOf")) {
    for (const Json& form : type["oneOf"]) {
      const auto tag = form["properties"].begin();
      write_section(page, form, path,
                    str(" with `", tag.key(), "`: `", tag.value()["const"].dump(), "`"));
    }
  } else if (type.contains("items")) {
    write_inner(page, type["items"], path + "[]");
  } else if (type.contains("properties")) {
    write_section(page, type, path, "");
  }
}

void write_section(std::string& page, const Json& object, const std::string& path,
                   const std::string& note) {
  page += str("\n## ", path.empty() ? "The whole file" : str("`", path, "`"), note, "\n\n");
  page += "| key | type | default | meaning |\n|---|---|---|---|\n";
  const Json required = object.value("required", Json::array());
  for (const auto& [key, type] : object["properties"].items()) {
    if (key == "$schema") continue;
    const bool needed = std::find(required.begin(), required.end(), key) != required.end();
    const std::string fallback = needed                     ? "required"
                                 : type.contains("default") ? str("`", type["default"].dump(), "`")
                                                            : "";
    page += str("| `", key, "` | ", type_text(type), " | ", fallback, " | ",
                type.value("description", ""), " |\n");
  }
  for (const auto& [key, type] : object["properties"].items()) {
    write_inner(page, type, path.empty() ? key : str(path, ".", key));
  }
}

}  // namespace

void SchemaWriter::add(const std::string& key, nlohmann::ordered_json type, const char* help,
                       Need need) {
  XGEN_CHECK(!properties_.contains(key), "config field \"", key, "\" is declared twice");
  type["description"] = help;
  properties_[key] = std::move(type);
  if (need == Need::required) required_.push_back(key);
}

nlohmann::ordered_json SchemaWriter::finished() const {
  Json schema = {{"type", "object"}, {"additionalProperties", false}, {"properties", properties_}};
  if (!required_.empty()) schema["required"] = required_;
  return schema;
}

std::string markdown_of(const nlohmann::ordered_json& schema, const std::string& introduction) {
  std::string page = str("# ", schema.value("title", "Configuration"), "\n\n", introduction, "\n");
  write_section(page, schema, "", "");
  return page;
}

}  // namespace xgen
