#include "cli/config_reference.h"
#include "cli/verb.h"

namespace xgen::cli {

void add_schema(CLI::App& app, int& /*exit_code*/) {
  CLI::App* verb = app.add_subcommand("schema", "Prints the JSON Schema of a run's config.");
  auto markdown = std::make_shared<bool>(false);
  verb->add_flag("--markdown", *markdown, "Print the reference page, docs/config.md, instead.");
  verb->callback([markdown] { std::cout << (*markdown ? config_page() : config_schema_text()); });
}

}  // namespace xgen::cli
