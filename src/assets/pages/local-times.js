// Shows times in the reader's time zone. `report.js` follows in the same script.
const timeFormat = new Intl.DateTimeFormat([], {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
})

/** Returns an element with the local time of `2026-11-22 12:00 UTC`, which becomes its tooltip. */
function localTime(utc, element = document.createElement('time')) {
  const date = new Date(element.dateTime || utc.replace(' ', 'T').replace(' UTC', 'Z'))
  const isKnown = Number.isFinite(date.getTime())
  element.textContent = isKnown ? timeFormat.format(date) : utc
  if (isKnown) element.title = utc
  return element
}

for (const element of document.querySelectorAll('time')) localTime(element.textContent, element)
document.getElementById('zone').textContent =
  `Times are in your time zone (${timeFormat.resolvedOptions().timeZone}), days and tooltips of times in UTC.`
