#include "cli/config_reference.h"
#include "cli/search/config_reference.h"
#include "cli/verb.h"

namespace xgen::cli {

namespace {

struct Arguments {
  bool search = false, markdown = false;
};

std::string text_of(const Arguments& args) {
  if (args.search) return args.markdown ? search_config_page() : search_schema_text();
  return args.markdown ? config_page() : config_schema_text();
}

}  // namespace

void add_schema(CLI::App& app, int& /*exit_code*/) {
  CLI::App* verb = app.add_subcommand("schema", "Prints the JSON Schema of a run's config.");
  auto args = std::make_shared<Arguments>();
  verb->add_flag("--search", args->search, "Of a search's config instead.");
  verb->add_flag("--markdown", args->markdown,
                 "Print the reference page, docs/config.md or docs/search_config.md, instead.");
  verb->callback([args] { std::cout << text_of(*args); });
}

}  // namespace xgen::cli
