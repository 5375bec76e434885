/* Offsets of every tap of every entry, so that kernels only add. */
static void expand_list(const xgen_list* l, const char* weights, int32_t* tables) {
  const uint16_t* counts = (const uint16_t*)(const void*)(weights + l->counts);
  const uint16_t* entries = (const uint16_t*)(const void*)(weights + l->entries);
  const uint8_t* patterns = (const uint8_t*)weights + l->patterns;
  const int32_t* taps = (const int32_t*)(const void*)(weights + l->taps);
  int32_t *begin = tables + l->begin, *out = tables + l->list;
  int32_t entry = 0;
  begin[0] = 0;
  for (int32_t g = 0; g < l->groups; ++g) {
    const int32_t count = l->counts == XGEN_NONE ? l->lanes : counts[g];
    for (int32_t i = 0; i < count; ++i, ++entry) {
      const int32_t lane = l->counts == XGEN_NONE ? i : entries[entry];
      const int32_t pattern = l->patterns == XGEN_NONE ? 0 : patterns[entry];
      for (int32_t t = 0; t < l->pattern_taps; ++t)
        *out++ = lane * l->lane_stride + taps[pattern * l->pattern_taps + t];
    }
    begin[g + 1] = (int32_t)(out - (tables + l->list));
  }
}

static void expand_channel_map(const xgen_channel_map* m, const char* weights, int32_t* tables) {
  const int32_t* map = (const int32_t*)(const void*)(weights + m->map);
  for (int32_t c = 0; c < m->channels; ++c)
    tables[m->table + c] = map[c] / 4 * (int32_t)m->plane + map[c] % 4;
}
