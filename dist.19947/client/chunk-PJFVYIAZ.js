import { createRequire as $require } from 'node:module';
import { dirname as $dirname } from 'node:path';
import { fileURLToPath as $path } from 'node:url';
const require = $require(import.meta.url), __filename = $path(import.meta.url), __dirname = $dirname(__filename);
import net from"node:net";function tlsConnectOptions(host,settings){let{ca,identity,checkHost,minVersion,maxVersion}=settings;return{minVersion,maxVersion,...ca&&{ca:[...ca]},...identity&&{cert:identity.chain,key:identity.key,passphrase:identity.passphrase},...!net.isIP(host)&&{servername:host},...!checkHost&&{checkServerIdentity:()=>{}}}}export{tlsConnectOptions};
