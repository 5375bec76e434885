#include "cli/run/report.h"

#include "cli/run/report_charts.h"
#include "cli/run/report_sections.h"
#include "cli/run/report_style.h"
#include "cli/run/report_values.h"
#include "core/error.h"

namespace xgen::cli {

namespace {

using nlohmann::json;

std::string list_of_texts(const json& texts) {
  std::string items;
  for (const json& text : texts) {
    if (text.is_string()) items += str("<li>", escaped(text.get<std::string>()), "</li>");
  }
  return items;
}

std::string notes_section(const json& report) {
  std::string items = list_of_texts(list_at(report, "/notes"));
  for (const json& stage : list_at(report, "/stages")) {
    for (const json& note : list_at(stage, "/notes")) {
      if (!note.is_string()) continue;
      items += str("<li><b>", escaped(text_at(stage, "/name")), ":</b> ",
                   escaped(note.get<std::string>()), "</li>");
    }
  }
  return items.empty() ? "" : str("<h2>Notes</h2>\n<ul>", items, "</ul>\n");
}

// Scalars of the manifest, and what proves that two runs are the same.
std::string machine_section(const json& report) {
  HtmlTable table{{{"", "layer"}, {"", "why"}}, {}};
  const auto add = [&](const std::string& name, const json& value) {
    if (value.is_structured() && !value.is_array()) return;
    const std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
    table.rows.push_back({{escaped(name), str("<code>", escaped(shown), "</code>")}});
  };
  const json manifest = report.is_object() ? report.value("manifest", json::object()) : json();
  if (manifest.is_object()) {
    for (const auto& [name, value] : manifest.items()) add(name, value);
  }
  for (const json& stage : list_at(report, "/stages")) {
    const std::string name = text_at(stage, "/name");
    for (const char* key :
         {"mask_sha256", "weights_sha256", "latency_source", "compiler", "kernels"}) {
      const std::string value = text_at(stage, str("/", key));
      if (!value.empty()) add(str(name, ": ", key), value);
    }
  }
  return table.rows.empty() ? "" : str("<h2>Machine and versions</h2>\n", table.html());
}

std::string config_section(const json& report) {
  if (!report.is_object() || !report.contains("config")) return "";
  return str("<h2>Config</h2>\n<details><summary>The resolved config of this run</summary><pre>",
             escaped(report["config"].dump(2, ' ', false, json::error_handler_t::replace)),
             "</pre></details>\n");
}

std::string samples_text(const json& report) {
  std::string text;
  for (const char* split : {"train", "validation", "test"}) {
    const auto samples = number_at(report, str("/samples/", split));
    if (!samples || *samples == 0) continue;
    text += str(text.empty() ? "" : ", ", fixed(*samples, 0), " ", split);
  }
  return text.empty() ? "" : text + " samples";
}

std::string header(const json& report) {
  std::string about;
  const auto add = [&](const std::string& part) {
    if (!part.empty()) about += (about.empty() ? "" : " · ") + part;
  };
  add("made by xgen " + text_at(report, "/manifest/xgen"));
  const std::string target = text_at(report, "/manifest/target");
  add(target.empty() ? "" : "target " + target);
  add(samples_text(report));
  add(text_at(report, "/created"));
  std::string html = str("<h1>", escaped(text_at(report, "/name")), "</h1>\n<p class=\"sub\">",
                         escaped(about), "</p>\n");
  const std::string stopped = text_at(report, "/exit_reason");
  if (!stopped.empty()) {
    html += str("<p class=\"stop\"><b>The run stopped early:</b> ", escaped(stopped), "</p>\n");
  }
  const std::string sentence = summary_sentence(report);
  if (!sentence.empty()) html += str("<p class=\"lead\">", escaped(sentence), "</p>\n");
  return html;
}

}  // namespace

std::string HtmlTable::html() const {
  std::vector<bool> shown(columns.size(), false);
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      shown[i] = shown[i] || !row.cells[i].empty();
    }
  }
  bool titled = false;
  std::string head = "<tr>", body;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!shown[i]) continue;
    titled = titled || !columns[i].title.empty();
    head += str("<th class=\"", columns[i].style, "\">", columns[i].title, "</th>");
  }
  for (const Row& row : rows) {
    body += *row.style == '\0' ? "<tr>" : str("<tr class=\"", row.style, "\">");
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (shown[i]) body += str("<td class=\"", columns[i].style, "\">", row.cells[i], "</td>");
    }
    body += "</tr>\n";
  }
  return str("<div class=\"card\"><table>\n", titled ? str("<thead>", head, "</tr></thead>\n") : "",
             "<tbody>\n", body, "</tbody></table></div>\n");
}

std::string report_html(const json& report) {
  const std::string name = text_at(report, "/name");
  return html_page(name.empty() ? "xgen" : name + " - xgen",
                   str(header(report), summary_tiles(report), variants_section(report),
                       requirements_section(report), stages_section(report), layers_section(report),
                       curves_section(report), points_section(report), notes_section(report),
                       machine_section(report), config_section(report)));
}

}  // namespace xgen::cli
