// Hands what the versions did and wrote to whoever follows their log.
export default {
  async tail(events, env) {
    await env.SINK.fetch("http://sink/", { method: "POST", body: JSON.stringify(events) });
  },
};
