// The words of the search window, which the site generator has in English only.
(() => {
  const words = {
    "Search": "搜索",
    "Close search": "关闭搜索",
    "Filters": "筛选",
    "Tags": "标签",
    "Search results": "搜索结果",
    "No results": "没有找到结果",
    "Loading search…": "正在载入搜索…",
    "Search is unavailable. Reload the page to try again.": "搜索不可用，请刷新页面重试。",
  };
  const chinese = (text) => words[text] ?? text.replace(/^([\d,]+) results?$/, "找到 $1 条结果");
  const attributes = ["aria-label", "placeholder"];

  function translate(root) {
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const text = texts.currentNode.data;
      if (chinese(text) !== text) texts.currentNode.data = chinese(text);
    }
    for (const name of attributes) {
      for (const element of root.querySelectorAll(`[${name}]`)) {
        const text = element.getAttribute(name);
        if (chinese(text) !== text) element.setAttribute(name, chinese(text));
      }
    }
  }

  function watch(root) {
    translate(root);
    const what = { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: attributes };
    new MutationObserver(() => translate(root)).observe(root, what);
  }

  const seen = new WeakSet();
  function find() {
    for (const element of document.body.children) {
      if (element.shadowRoot && !seen.has(element)) {
        seen.add(element);
        watch(element.shadowRoot);
      }
    }
  }
  find();
  new MutationObserver(find).observe(document.body, { childList: true });
})();
