import { createRequire as $require } from 'node:module';
import { dirname as $dirname } from 'node:path';
import { fileURLToPath as $path } from 'node:url';
const require = $require(import.meta.url), __filename = $path(import.meta.url), __dirname = $dirname(__filename);
import"./chunk-UL4BZ4UO.js";var GROUPS={connection:"Connection",output:"Output"},WIDTH=100;async function showHelp(words,table,output){let paint=await output.paint(),id=words.join(":"),entry=table.get(id),text=entry===void 0?groupHelp(id,table,paint):commandText(commandHelp(id,entry),paint);await output.write(text)}function commandHelp(id,{summary,command}){let flags=Object.entries({...command.flags,...command.baseFlags}).filter(([,flag])=>!flag.hidden),examples=command.examples??[],headings=[...new Set(flags.map(([,{helpGroup}])=>helpGroup??""))];return headings.sort((a,b)=>+(a in GROUPS)-+(b in GROUPS)),{id,summary,description:command.description??"",usage:typeof command.usage=="string"?[command.usage]:command.usage??[id.replaceAll(":"," ")],groups:headings.map(group=>({heading:group in GROUPS?GROUPS[group]:"Options",flags:flags.filter(([,flag])=>(flag.helpGroup??"")===group).map(([name,flag])=>flagHelp(name,flag))})),examples:examples.flatMap(example=>typeof example=="string"?[]:[example])}}function flagHelp(name,flag){let value=flag.type==="option"?`=${flag.helpValue?.toString()??"VALUE"}`:"",short=flag.char===void 0?"    ":`-${flag.char}, `,repeat=flag.type==="option"&&flag.multiple?" Repeatable.":"";return{name,usage:`${short}--${name}${value}`,summary:`${flag.summary??flag.description??""}${repeat}`}}function groupHelp(group,table,paint){let prefix=group===""?"":`${group}:`,entries=[...table].filter(([id])=>id.startsWith(prefix)),usage=`  ktool ${group===""?"":`${group} `}COMMAND [OPTIONS]
`,rows=entries.map(([id,{summary}])=>[id.replaceAll(":"," "),summary]),intro=group===""?`A Kafka command line without a JVM, and a Kafka without a cluster.

`:"",list=`${paint.heading("Commands")}
${twoColumns(rows)}`;return`${intro}${paint.heading("Usage")}
${usage}
${list}${group===""?firstSteps(paint):""}`}function firstSteps(paint){return`
${paint.heading("First steps")}
  ktool topics --create --topic orders --partitions 3     (starts the bundled broker if none runs)
  printf 'one\\ntwo\\n' | ktool produce --topic orders
  ktool consume --topic orders --from-beginning --max-messages 2
  ktool broker stop

\`ktool help COMMAND\` or \`ktool COMMAND --help\` tells more about one. Any Apache Kafka cluster will do:
--bootstrap-server HOST:PORT, or KTOOL_BOOTSTRAP_SERVERS. \`ktool --version\` prints the version.
`}function commandText(help,paint){let parts=[`${help.summary}
`];help.description!==""&&parts.push(`${wrap(help.description,WIDTH).join(`
`)}
`),parts.push(`${paint.heading("Usage")}
${help.usage.map(line=>`  ktool ${line}
`).join("")}`);for(let{heading,flags}of help.groups)parts.push(`${paint.heading(heading)}
${twoColumns(flags.map(({usage,summary})=>[usage,summary]))}`);if(help.examples.length>0){let lines=help.examples.map(({description,command})=>`  ${paint.faint(`# ${description}`)}
  ${command}
`);parts.push(`${paint.heading("Examples")}
${lines.join("")}`)}return parts.join(`
`)}function twoColumns(rows){let width=Math.min(38,Math.max(0,...rows.map(([left])=>left.length)));return rows.map(([left,right])=>{let lines=wrap(right,WIDTH-width-4);return`${((left.length>width?`  ${left}
${" ".repeat(width+4)}`:`  ${left.padEnd(width)}  `)+lines.join(`
${" ".repeat(width+4)}`)).trimEnd()}
`}).join("")}function wrap(text,width){return text.split(`
`).flatMap(paragraph=>{let lines=[""];for(let word of paragraph.split(" ")){let line=lines.at(-1)??"";line===""?lines[lines.length-1]=word:line.length+1+word.length<=width?lines[lines.length-1]=`${line} ${word}`:lines.push(word)}return lines})}export{commandHelp,showHelp,wrap};
