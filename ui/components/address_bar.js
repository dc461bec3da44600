// Shows settings in the address bar. The history gets no entry: a step back leaves the page, not one setting.

export default function ({ data }) {
  const address = new URL(window.location.href)
  for (const name of data.names) address.searchParams.delete(name)
  for (const [name, value] of Object.entries(data.query)) address.searchParams.set(name, value)
  if (address.href !== window.location.href) window.history.replaceState(window.history.state, "", address)
}
